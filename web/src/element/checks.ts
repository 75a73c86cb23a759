/** The checks as plain questions, each with its answer. */

import type { Report } from "../verify/index.js";
import { withMoments } from "../words/quantity.js";
import { shownWhole } from "../words/shown.js";
import type { Check, Words } from "../words/words.js";
import { icon } from "../drawing/icons.js";
import { html } from "../drawing/nodes.js";

const ICONS = {
  passed: "passed",
  failed: "failed",
  "not-checked": "check-not-checked",
  "not-required": "not-required",
} as const;

export function checksView(report: Report, words: Words): HTMLElement {
  return html(
    "section",
    { class: "block", part: "checks" },
    html("h3", {}, words.panel.questions),
    html("ul", { class: "checks" }, ...report.checks.map((check) => checkView(check, words))),
  );
}

function checkView(check: Check, words: Words): HTMLElement {
  return html(
    "li",
    { class: `check outcome-${check.outcome}` },
    icon(ICONS[check.outcome]),
    html(
      "div",
      {},
      html(
        "p",
        { class: "question" },
        words.questions[check.question],
        html("span", { class: "hidden" }, ` ${words.outcomes[check.outcome]}.`),
      ),
      html("p", { class: "answer" }, html("bdi", {}, shownWhole(withMoments(check.answer, words.language)))),
    ),
  );
}
