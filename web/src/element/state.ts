/**
 * From a report to the one state that is shown. The verdict is the report's: a state only says how a
 * verdict is put into words, and no state but `verified` stands for a pass by what the site trusts.
 */

import type { FindingCode, Report } from "../verify/index.js";
import { rejections } from "../verify/report.js";
import type { StateName } from "../words/words.js";
import type { OwnFile } from "./own.js";

/** What the element is doing or showing; `data-state` of its panel and its `state` property. */
export type State = "idle" | "working" | "several" | StateName;

/** `own`: the reader's own files on which the verdict rests. */
export function stateOf(report: Report, own: readonly OwnFile[]): StateName {
  switch (report.verdict) {
    case "verified":
      return own.length === 0 ? "verified" : "verified-own";
    case "outdated":
      return "outdated";
    case "rejected":
      return rejection(report.code ?? "internal.error");
    default:
      return "not-checked";
  }
}

/** A code that this package does not know was made by a newer one: no more is said than that it was rejected. */
function rejection(code: FindingCode): StateName {
  if (code === "content.incomplete") return "incomplete";
  switch (rejections[code]) {
    case "same-file":
      return "mismatch";
    case "still-trusted":
      return "revoked";
    default:
      return "untrusted";
  }
}

/** Whether the state interrupts what a screen reader is saying. */
export function isAlarming(state: StateName): boolean {
  return state === "mismatch" || state === "revoked" || state === "untrusted";
}

/** The states, those first that a reader must not miss. */
const BY_URGENCY: readonly StateName[] = [
  "revoked",
  "mismatch",
  "untrusted",
  "incomplete",
  "not-checked",
  "outdated",
  "verified-own",
  "verified",
];

/** Orders states by how urgent they are. */
export function byUrgency(first: StateName, second: StateName): number {
  return BY_URGENCY.indexOf(first) - BY_URGENCY.indexOf(second);
}
