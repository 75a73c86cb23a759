/** The results of several files that were chosen at once: one each, the most urgent first, and none for all of them. */

import { html } from "../drawing/nodes.js";
import { isolated, plain, sentence } from "../words/sentence.js";
import type { StateName, Words } from "../words/words.js";
import { byUrgency } from "./state.js";

/** What came of one of the files. */
export interface Result {
  readonly name: string;
  readonly state: StateName;
  /** The verdict, without its details. */
  verdict(rank: "h4"): HTMLElement;
  /** Everything else there is to see of it; null where nothing was checked. */
  readonly details: (() => Node[]) | null;
}

/** The list; what stands above it has the class `headline` and takes the focus. */
export function severalView(results: readonly Result[], words: Words): { summary: HTMLElement; list: HTMLElement } {
  const { panel, labels } = words;
  const sorted = results.toSorted((first, second) => byUrgency(first.state, second.state));
  const counts = new Map<StateName, number>();
  for (const { state } of sorted) counts.set(state, (counts.get(state) ?? 0) + 1);
  const summary = html(
    "div",
    { class: "several", part: "several" },
    html(
      "h2",
      { class: "headline", part: "headline", tabindex: -1 },
      plain(panel.several, { count: String(results.length) }),
    ),
    html("p", { class: "verdict-line" }, [...counts].map(([state, count]) => `${labels[state]}: ${count}`).join(" · ")),
  );
  const list = html(
    "ol",
    { class: "results", part: "results", "aria-label": panel.eachFile },
    ...sorted.map((result) => resultView(result, words)),
  );
  return { summary, list };
}

function resultView(result: Result, { panel }: Words): HTMLElement {
  const item = html("li", { class: "result" }, html("h3", {}, isolated(result.name)), result.verdict("h4"));
  const { details } = result;
  if (details === null) return item;
  const more = html("details", { class: "block" }, html("summary", {}, panel.seeMore));
  // Drawn when somebody looks: a folder of files would make thousands of nodes.
  more.addEventListener("toggle", () => more.append(...details()), { once: true });
  item.append(more);
  return item;
}

/** A file that was not checked, and why; told like a verdict. */
export function uncheckedView(name: string, why: string, words: Words): Result {
  const state = "not-checked";
  return {
    name,
    state,
    verdict: (rank) =>
      html(
        "div",
        { class: `verdict state-${state}`, part: `verdict ${state}` },
        html(
          "div",
          { class: "verdict-text" },
          html("p", { class: "verdict-label" }, words.labels[state]),
          html(rank, { class: "headline" }, sentence(words.states[state].headline)),
          html("p", { class: "verdict-line" }, why),
        ),
      ),
    details: null,
  };
}
