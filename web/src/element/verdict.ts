/** The verdict: an icon, words, and what else a reader should know at once. */

import type { Finding, Report } from "../verify/index.js";
import { isolated } from "../words/sentence.js";
import { strangeLetters } from "../words/shown.js";
import type { Words } from "../words/words.js";
import { icon } from "../drawing/icons.js";
import { html } from "../drawing/nodes.js";
import { type Telling, publisherOf, remedyOf, titleOf } from "./telling.js";

/** The verdict's part of the panel; its headline takes the focus. `rank` is the headline's among headings. */
export function verdictView(
  report: Report,
  telling: Telling,
  remarks: readonly Node[],
  words: Words,
  rank: "h2" | "h4" = "h2",
): HTMLElement {
  const text = html(
    "div",
    { class: "verdict-text" },
    telling.basis && html("p", { class: "verdict-basis" }, telling.basis),
    html("p", { class: "verdict-label" }, telling.label),
    html(rank, { class: "headline", part: "headline", tabindex: -1 }, telling.headline),
    ...telling.body.map((line) => html("p", { class: "verdict-line" }, line)),
    ...telling.warnings.map((finding) => warning(finding, words)),
    ...lookClosely(report, words),
    ...remarks.map((remark) => html("p", { class: "verdict-remark" }, remark)),
  );
  return html(
    "div",
    { class: `verdict state-${telling.state}`, part: `verdict ${telling.state}` },
    html("div", { class: "verdict-icon" }, icon(telling.state)),
    text,
  );
}

function warning(finding: Finding, words: Words): HTMLElement {
  return html(
    "p",
    { class: "verdict-warning" },
    html("strong", {}, titleOf(finding, words)),
    " ",
    remedyOf(finding, words),
  );
}

/** A line for each name in the verdict whose letters may be taken for others. */
function lookClosely(report: Report, words: Words): HTMLElement[] {
  const names = [report.artifact.name, report.signer?.identity, publisherOf(report)];
  const decisive = report.findings[0];
  const texts = new Set([...names, decisive?.found].filter((text) => typeof text === "string"));
  return [...texts].flatMap((text) => {
    const letters = strangeLetters(text);
    if (letters.length === 0) return [];
    const [before = "", after = ""] = words.panel.strangeLetters.split("{letters}");
    const listed = letters.flatMap(({ character, codePoint }, index) => [
      index === 0 ? "" : ", ",
      isolated(character, "strong"),
      ` ${codePoint}`,
    ]);
    return [html("p", { class: "verdict-warning" }, isolated(text), " — ", before, ...listed, after)];
  });
}
