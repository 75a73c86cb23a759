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

/** `which` says which file it is, where there are several. */
export function workingView(words: Words, onCancel: () => void, which: string | null): WorkingView {
  const { panel } = words;
  const bar = html("progress", { part: "progress", "aria-label": panel.starting });
  // Numbers that change ten times a second are for the eyes; a screen reader asks the bar.
  const line = html("p", { class: "working-line" }, panel.starting);
  const more = html("p", { class: "working-more" }, "\u00a0");
  const cancel = button(panel.cancel, onCancel, { class: "quiet", part: "cancel" });
  const element = html(
    "div",
    { class: "working", part: "working" },
    which && html("p", { class: "working-more" }, which),
    line,
    bar,
    more,
    cancel,
  );
  const waits = new Waits();
  const showWait = (): void => {
    const wait = waits.first();
    if (wait === undefined || waits.isReading) return;
    line.textContent = plain(wait.step === "revocation" ? panel.looking : panel.waiting, { host: wait.host });
    bar.removeAttribute("value");
    more.textContent = "\u00a0";
  };
  return {
    element,
    cancel,
    progress: (progress) => {
      waits.isReading = progress.total === null || progress.done < progress.total;
      showProgress(progress, bar, line, more, words);
      showWait();
    },
    step: (step) => {
      waits.hear(step);
      showWait();
    },
  };
}

/** Whose answers are still to come. While the file is read its progress is shown instead. */
class Waits {
  isReading = false;
  readonly #open = new Map<string, { readonly step: Step["step"]; readonly host: string }>();

  hear({ step, state, url }: Step): void {
    if (step === "hash") this.isReading = state === "begun";
    if (url === undefined) return;
    if (state === "begun") this.#open.set(url, { step, host: URL.parse(url)?.host ?? url });
    else this.#open.delete(url);
  }

  first(): { readonly step: Step["step"]; readonly host: string } | undefined {
    return this.#open.values().next().value;
  }
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
    secondsLeft === null || !isRunning ? "" : `, ${plain(panel.left, { time: duration(secondsLeft, language) })}`;
  line.textContent = `${amount}${left}.`;
  more.textContent = bytesPerSecond > 0 ? plain(panel.rate, { rate: size(bytesPerSecond, language) }) : "\u00a0";
}
