/** From a report to the links of its trust chain: proven facts only, nothing is drawn here. */

import type { Report } from "../verify/index.js";
import type { IconName } from "../drawing/icons.js";
import { provenTime } from "../words/proven.js";
import { date, moment, withMoments } from "../words/quantity.js";
import { type Facts, plain } from "../words/sentence.js";
import { friendlyName, nameAttribute } from "../words/shown.js";
import type { Outcome, Question, Words } from "../words/words.js";

/** How a link stands; its colour, and never its colour alone: `mark` says it too. */
export type Tone = "good" | "bad" | "open";

/** One station of the chain, from the file to the authority that is trusted. */
export interface Station {
  readonly icon: IconName;
  readonly tone: Tone;
  /** What it is, such as `Signer`. */
  readonly kind: string;
  /** Who or what it is; foreign text. */
  readonly title: string;
  /** More of it; foreign text. */
  readonly notes: readonly string[];
  /** What leads from the station above to this one. */
  readonly link: string | null;
}

/** The stations, file first; empty when nobody is proven to have signed. */
export function stationsOf(report: Report, words: Words): Station[] {
  if (report.signer === null) return [];
  return [
    fileStation(report, words),
    timeStation(report, words),
    signerStation(report, words),
    ...authorityStations(report, words),
  ];
}

/** The whole chain as a sentence, for those who do not see the picture. */
export function describe(report: Report, words: Words): string {
  const signer = report.signer;
  if (signer === null) return words.chain.nothing;
  const time = provenTime(report);
  const names = signer.chain.slice(1).map((certificate) => friendlyName(certificate.subject));
  const facts: Facts = {
    file: report.artifact.name ?? words.panel.theFile,
    signer: signer.identity,
    when: time ? moment(time.time, words.language) : words.chain.notStamped,
    // A managed key has nobody who vouches for it but whoever gave it.
    chain: names.map((name) => `${words.chain.issuedBy} ${name}`).join(" ") || words.chain.givenKey,
    standing: standing(report, words),
  };
  return plain(words.chain.described, facts);
}

function fileStation(report: Report, words: Words): Station {
  const digest = report.artifact.digests[0];
  return {
    icon: "file",
    tone: toneOf(report, ["same-file"]),
    kind: words.chain.file,
    title: report.artifact.name ?? words.panel.theFile,
    notes: digest === undefined ? [] : [shortDigest(digest)],
    link: null,
  };
}

function timeStation(report: Report, words: Words): Station {
  const time = provenTime(report);
  const tone = toneOf(report, ["when-signed"]);
  return {
    icon: "time",
    // Where no time is asked for there is none to be glad of.
    tone: time === undefined ? worse(tone, "open") : tone,
    kind: words.questions["when-signed"],
    title: time ? moment(time.time, words.language) : words.chain.notStamped,
    notes: time ? [plain(words.chain.stampedBy, { authority: time.authority })] : [],
    link: words.chain.signed,
  };
}

function signerStation(report: Report, words: Words): Station {
  const subject = report.signer?.chain[0]?.subject ?? "";
  const organisation = nameAttribute(subject, "O");
  return {
    icon: "signer",
    tone: toneOf(report, ["who-signed", "still-trusted"]),
    kind: words.chain.signer,
    title: report.signer?.identity ?? "",
    notes: [organisation, standing(report, words)].filter((note) => note !== null),
    link: words.chain.keyOf,
  };
}

function authorityStations(report: Report, words: Words): Station[] {
  const authorities = report.signer?.chain.slice(1) ?? [];
  const last = authorities.length - 1;
  return authorities.map((certificate, index) => ({
    icon: index === last ? "anchor" : "authority",
    tone: "good",
    kind: index === last ? words.chain.anchor : words.chain.authority,
    title: friendlyName(certificate.subject),
    notes: [
      index === last
        ? words.chain.anchorNote
        : plain(words.panel.validityRange, {
            from: date(certificate.not_before, words.language),
            to: date(certificate.not_after, words.language),
          }),
    ],
    link: words.chain.issuedBy,
  }));
}

function standing(report: Report, words: Words): string {
  const check = report.checks.find((each) => each.question === "still-trusted");
  const answer = check?.answer ?? words.outcomes["not-checked"];
  return plain(words.chain.standing, { answer: withMoments(answer, words.language) });
}

/** The worse of two. */
export function worse(first: Tone, second: Tone): Tone {
  if (first === "bad" || second === "bad") return "bad";
  return first === "open" || second === "open" ? "open" : "good";
}

function toneOf(report: Report, questions: readonly Question[]): Tone {
  const outcomes: readonly Outcome[] = report.checks
    .filter((check) => questions.includes(check.question))
    .map((check) => check.outcome);
  if (outcomes.includes("failed")) return "bad";
  return outcomes.includes("not-checked") ? "open" : "good";
}

function shortDigest(digest: string): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm.toUpperCase().replace("SHA", "SHA-")} ${hex.slice(0, 16)}…`;
}
