/** What is seen while a check runs: how far it is, how fast, how long still, and a way out. */

import type { Progress, Step } from "../verify/index.js";
import { duration, size } from "../words/quantity.js";
import { plain } from "../words/sentence.js";
import type { Words } from "../words/words.js";
import { button, html } from "../drawing/nodes.js";
import { progressFacts } from "./telling.js";

export interface WorkingView {
  readonly element: HTMLElement;
  readonly cancel: HTMLButtonElement;
  progress(progress: Progress): void;
  step(step: Step): void;
}

export function workingView(words: Words, onCancel: () => void): WorkingView {
  const { panel } = words;
  const bar = html("progress", { part: "progress", "aria-label": panel.starting });
  // Numbers that change ten times a second are for the eyes; a screen reader asks the bar.
  const line = html("p", { class: "working-line" }, panel.starting);
  const more = html("p", { class: "working-more" }, "\u00a0");
  const cancel = button(panel.cancel, onCancel, { class: "quiet", part: "cancel" });
  const element = html("div", { class: "working", part: "working" }, line, bar, more, cancel);
  return {
    element,
    cancel,
    progress: (progress) => showProgress(progress, bar, line, more, words),
    step: (step) => {
      if (step.step !== "revocation" || step.state !== "begun") return;
      line.textContent = panel.looking;
      bar.removeAttribute("value");
      more.textContent = "\u00a0";
    },
  };
}

function showProgress(
  { done, total, bytesPerSecond, secondsLeft }: Progress,
  bar: HTMLProgressElement,
  line: HTMLElement,
  more: HTMLElement,
  { panel, language }: Words,
): void {
  const amount =
    total === null
      ? plain(panel.workingUnknown, { done: size(done, language) })
      : plain(panel.working, progressFacts(done, total, language));
  if (total !== null) {
    bar.max = Math.max(1, total);
    bar.value = done;
  }
  const isRunning = total === null || done < total;
  const left =
    secondsLeft === null || !isRunning
      ? ""
      : `, ${plain(panel.left, { time: duration(secondsLeft, language) })}`;
  line.textContent = `${amount}${left}.`;
  more.textContent =
    bytesPerSecond > 0 ? plain(panel.rate, { rate: size(bytesPerSecond, language) }) : "\u00a0";
}
