/**
 * What a table of words holds, and which tables there are. English is built in; others are added with
 * {@link registerWords}. Findings are told in the core's own words unless a table has better ones for
 * their code. Nothing here decides anything.
 */

import type { FindingCode, Report } from "../verify/index.js";
import { english } from "./english.js";

export type Check = Report["checks"][number];
export type Question = Check["question"];
export type Outcome = Check["outcome"];

/**
 * A sentence with places in braces: `{name}`. A star, `{*name}`, makes what stands there strong. What
 * is filled in is always isolated, so that foreign text cannot turn the sentence around.
 */
export type Template = string;

/** A state's words: the answer, then what it means or what to do. */
export interface StateWords {
  readonly headline: Template;
  readonly body: readonly Template[];
}

/** The states of docs/embedding.md that come with a verdict. */
export type StateName =
  "verified" | "verified-own" | "outdated" | "incomplete" | "mismatch" | "revoked" | "untrusted" | "not-checked";

export interface Words {
  /** BCP 47; numbers and dates are written as there. */
  readonly language: string;
  /** A word or two a state, read before its headline. */
  readonly labels: Readonly<Record<StateName, string>>;
  /** Where the state alone says it. */
  readonly states: Readonly<Record<StateName, StateWords>>;
  /** `outdated` where the newer version has no name. */
  readonly outdatedUnnamed: StateWords;
  /** `verified` where no time is proven, or nobody's name. */
  readonly undated: Template;
  /** Where a finding's code says it better than its state. */
  readonly byCode: Readonly<Partial<Record<FindingCode, StateWords>>>;
  /** Titles and remedies in this language; the core's English where a code is missing. */
  readonly findings: Readonly<Partial<Record<FindingCode, { title: string; remedy: string }>>>;
  readonly questions: Readonly<Record<Question, string>>;
  readonly outcomes: Readonly<Record<Outcome, string>>;
  readonly classes: Readonly<Record<"note" | "warning" | "outdated" | "set-up" | "not-checked" | "danger", string>>;
  /** Why a certificate was revoked, by the reason's name in RFC 5280. */
  readonly reasons: Readonly<Record<string, string>>;
  readonly panel: PanelWords;
  readonly own: OwnWords;
  readonly chain: ChainWords;
  readonly page: PageWords;
}

/** What the element says besides verdicts. */
// prettier-ignore
export type PanelWords = Readonly<
  Record<
    | "choose" | "chooseNote" | "chooseAnother" | "download" | "downloadThen" | "save" | "working"
    | "workingUnknown" | "left" | "rate" | "starting" | "looking" | "waiting" | "cancel" | "cancelled"
    | "onlyBundle" | "unmatched" | "unmatchedNote" | "misuse" | "savedAs" | "notKept" | "theFile"
    | "thePublisher" | "nobodyExpected" | "somebody" | "questions" | "details" | "findings" | "findingsNone"
    | "expected" | "found" | "subject" | "clause" | "code" | "remedy" | "file" | "name" | "size"
    | "digest" | "certificates" | "issuer" | "serial" | "validity" | "validityRange" | "timestamps"
    | "checkedAt" | "report" | "copy" | "copied" | "saveReport" | "copyByHand" | "without"
    | "withoutNote" | "copyCommand" | "strangeLetters" | "publishedAs" | "unreachable"
    | "notDownloaded" | "evidenceNotUsed" | "bundleNotUsed" | "useForm" | "several" | "eachFile" | "fileOf"
    | "unmatchedOfSeveral" | "seeMore" | "cancelledSeveral",
    Template
  >
>;

/** What is said of the reader's own files, and of verdicts that rest on them. */
// prettier-ignore
export interface OwnWords
  extends Readonly<
    Record<
      | "summary" | "note" | "noteOnly" | "bundle" | "trust" | "policy" | "publicKey" | "crls" | "clear" | "missing"
      | "basis" | "basisOnly" | "undated" | "anchorNote" | "givenKey",
      Template
    >
  > {
  /** As they are listed in `basis`. */
  readonly names: Readonly<Record<"trust" | "policy" | "publicKey", string>>;
  /** Better words than the site's for a finding's code. */
  readonly byCode: Readonly<Partial<Record<FindingCode, StateWords>>>;
}

/** What the picture of the chain says. */
// prettier-ignore
export type ChainWords = Readonly<
  Record<
    | "title" | "heading" | "file" | "signed" | "keyOf" | "givenKey" | "signer" | "issuedBy"
    | "authority" | "anchor" | "anchorNote" | "stampedBy" | "notStamped" | "standing" | "nothing" | "described",
    Template
  >
>;

/** What the page around the element says. */
// prettier-ignore
export type PageWords = Readonly<
  Record<
    | "title" | "lead" | "downloads" | "get" | "getAndCheck" | "checkAs"
    | "noReleases" | "badReleases" | "about" | "aboutOffline",
    Template
  >
>;

const tables = new Map<string, Words>([["en", english]]);

/** Adds a table for `language`, such as `de`, or replaces one. */
export function registerWords(language: string, words: Words): void {
  tables.set(language.toLowerCase(), words);
}

/** The table for a `lang` attribute: that language, else without its region, else English. */
export function wordsFor(language: string | null | undefined): Words {
  const wanted = (language ?? "").toLowerCase();
  return tables.get(wanted) ?? tables.get(wanted.split("-")[0] ?? "") ?? english;
}
