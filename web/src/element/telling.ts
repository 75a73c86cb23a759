/** What a verdict says: its state's or its finding's words, filled with the report's facts. */

import type { Finding, Report } from "../verify/index.js";
import { provenTime } from "../words/proven.js";
import { date, size, sizes } from "../words/quantity.js";
import { type Facts, sentence } from "../words/sentence.js";
import { nameAttribute } from "../words/shown.js";
import type { StateName, StateWords, Words } from "../words/words.js";
import { type OwnFile, ownNames, wordsOfOwn } from "./own.js";
import { stateOf } from "./state.js";

/** The site's own words for what is offered; they are not signed. */
export interface Labels {
  /** Such as `App`. */
  readonly name?: string | undefined;
  /** Such as `2.1`. */
  readonly version?: string | undefined;
  /** Who is expected to have published it. */
  readonly publisher?: string | undefined;
}

export interface Telling {
  readonly state: StateName;
  /** Said before everything else: that the verdict rests on the reader's own files. */
  readonly basis: DocumentFragment | null;
  readonly label: string;
  readonly headline: DocumentFragment;
  readonly body: readonly DocumentFragment[];
  /** Findings that a reader should know beside the verdict. */
  readonly warnings: readonly Finding[];
}

/** What a check was made with, as far as its verdict has to say it. */
export interface Basis {
  readonly labels: Labels;
  /** The reader's own files that took the place of the site's; the site's labels mean nothing then. */
  readonly own: readonly OwnFile[];
  /** Whether there is a site whose files could have been used. */
  readonly hasSite: boolean;
}

export function tell(report: Report, basis: Basis, table: Words): Telling {
  const { own } = basis;
  const words = wordsOfOwn(table, own);
  const state = stateOf(report, own);
  const said = stateWords(report, state, words);
  const facts = factsOf(report, own.length === 0 ? basis.labels : {}, words);
  const renamed = report.findings.find((finding) => finding.code === "content.name-differs");
  const body = said.body.map((template) => sentence(template, facts));
  if (renamed && (state === "verified" || state === "verified-own")) {
    body.unshift(sentence(words.panel.publishedAs, { name: renamed.expected ?? "" }));
  }
  return {
    state,
    basis: own.length === 0 ? null : basisOf(basis, words),
    label: words.labels[state],
    headline: sentence(said.headline, facts),
    body,
    warnings: report.findings.filter(
      (finding) => finding.class === "warning" && finding.code !== "content.name-differs",
    ),
  };
}

function basisOf({ own, hasSite }: Basis, words: Words): DocumentFragment {
  const template = hasSite ? words.own.basis : words.own.basisOnly;
  return sentence(template, { files: ownNames(own, words) });
}

function stateWords(report: Report, state: StateName, words: Words): StateWords {
  const byState = words.states[state];
  if (provenTime(report) === undefined) {
    if (state === "verified") return { headline: words.undated, body: byState.body };
    if (state === "verified-own") return { headline: words.own.undated, body: byState.body };
  }
  if (state === "outdated" && !report.findings[0]?.expected) return words.outdatedUnnamed;
  const code = report.code;
  return (code === null ? undefined : words.byCode[code]) ?? byState;
}

function factsOf(report: Report, labels: Labels, words: Words): Facts {
  const decisive = report.findings[0];
  const { panel, language } = words;
  const revocation = /^(\w+) since (\S+?),?(?:\s|$)/.exec(decisive?.found ?? "");
  const amounts = byteCounts(decisive, language);
  return {
    name: productName(report, labels) ?? panel.theFile,
    publisher: publisherOf(report) ?? labels.publisher ?? panel.thePublisher,
    date: date(revocation?.[2] ?? provenTime(report)?.time ?? "", language),
    reason: words.reasons[revocation?.[1] ?? ""] ?? words.reasons["unspecified"],
    expected: amounts?.expected ?? expectedOf(decisive, labels) ?? panel.nobodyExpected,
    found: amounts?.found ?? decisive?.found ?? panel.somebody,
    subject: decisive?.subject ?? panel.unreachable,
    title: decisive ? titleOf(decisive, words) : "",
    remedy: decisive ? remedyOf(decisive, words) : "",
    host: hostIn(decisive) ?? panel.unreachable,
    bundle: `${report.artifact.name ?? "FILE"}.sigstore.json`,
  };
}

/**
 * What the file is called in the verdict. The site's own words count only as long as the signature
 * does not contradict them: a file that was published under another name is called by that.
 */
function productName(report: Report, labels: Labels): string | undefined {
  const renamed = report.findings.find((finding) => finding.code === "content.name-differs");
  if (renamed?.expected) return renamed.expected;
  const label = [labels.name, labels.version].filter(Boolean).join(" ");
  return label || (report.artifact.name ?? undefined);
}

/** The newer version of something outdated; of somebody unexpected, who was expected. */
function expectedOf(decisive: Finding | undefined, labels: Labels): string | undefined {
  const named = decisive?.expected ?? undefined;
  const isOfFile = decisive?.class === "outdated" || decisive?.code === "content.name.other";
  return isOfFile ? named : (labels.publisher ?? named);
}

/** The organisation in the proven signer's certificate, else its identity. */
export function publisherOf(report: Report): string | undefined {
  const signer = report.signer;
  if (signer === null) return undefined;
  const subject = signer.chain[0]?.subject ?? "";
  return nameAttribute(subject, "O") ?? signer.identity;
}

function byteCounts(finding: Finding | undefined, language: string): { expected: string; found: string } | undefined {
  const count = (text: string | null | undefined): number | undefined => {
    const digits = /^(\d+) bytes$/.exec(text ?? "")?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const [expected, found] = [count(finding?.expected), count(finding?.found)];
  if (expected === undefined || found === undefined) return undefined;
  const [foundText, expectedText] = sizes(found, expected, language);
  return { expected: expectedText, found: sameUnit(foundText, expectedText) };
}

/** `1.2` beside `1.4 GB`, as people say it. */
function sameUnit(first: string, second: string): string {
  const unit = /[^\d.,\s].*$/.exec(second)?.[0] ?? "";
  return unit !== "" && first.endsWith(unit) ? first.slice(0, -unit.length).trimEnd() : first;
}

/** The host of the first address that a finding names. */
function hostIn(finding: Finding | undefined): string | undefined {
  const texts = [finding?.subject, finding?.expected, finding?.found];
  for (const text of texts) {
    const host = /https?:\/\/([^\s/"'<>]+)/.exec(text ?? "")?.[1];
    if (host !== undefined) return host;
  }
  return undefined;
}

/** A finding's title in the reader's language. */
export function titleOf(finding: Finding, words: Words): string {
  return words.findings[finding.code]?.title ?? finding.title;
}

/** A finding's remedy in the reader's language. */
export function remedyOf(finding: Finding, words: Words): string {
  return words.findings[finding.code]?.remedy ?? finding.remedy;
}

/** `1.2 of 4.0 GB` as two facts. */
export function progressFacts(done: number, total: number, language: string): Facts {
  const totalText = size(total, language);
  return { done: sameUnit(size(done, language), totalText), total: totalText };
}
