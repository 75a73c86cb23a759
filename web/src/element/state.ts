/**
 * From a report to the one state that is shown. The verdict is the report's: a state only says how a
 * verdict is put into words, and no state but `verified` stands for a pass.
 */

import type { Report } from "../verify/index.js";
import type { StateName } from "../words/words.js";

/** What the element is doing or showing; `data-state` of its panel and its `state` property. */
export type State = "idle" | "working" | StateName;

export function stateOf(report: Report): StateName {
  switch (report.verdict) {
    case "verified":
      return "verified";
    case "outdated":
      return "outdated";
    case "rejected":
      return rejection(report.code ?? "");
    default:
      return "not-checked";
  }
}

function rejection(code: string): StateName {
  if (code === "content.incomplete") return "incomplete";
  if (code.startsWith("content.")) return "mismatch";
  if (code.startsWith("revocation.")) return "revoked";
  return "untrusted";
}

/** Whether the state interrupts what a screen reader is saying. */
export function isAlarming(state: StateName): boolean {
  return state === "mismatch" || state === "revoked" || state === "untrusted";
}
