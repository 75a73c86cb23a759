/**
 * What is seen of a `<verify-download>`: one of idle, working, a verdict, or several. It shows what it is told and
 * reports what the reader does; it fetches and decides nothing.
 */

import { chainFigure } from "../chain/picture.js";
import type { Report } from "../verify/index.js";
import { sentence } from "../words/sentence.js";
import type { Words } from "../words/words.js";
import { checksView } from "./checks.js";
import type { CommandFiles } from "./command.js";
import { detailsView } from "./details.js";
import { icon } from "../drawing/icons.js";
import { button, html } from "../drawing/nodes.js";
import { commandView, reportView } from "./receipt.js";
import { type State, isAlarming } from "./state.js";
import type { Telling } from "./telling.js";
import { verdictView } from "./verdict.js";
import { type WorkingView, workingView } from "./working.js";
import { type Result, severalView } from "./several.js";
import { wordsOfOwn, type OwnFile } from "./own.js";

/** What the reader can do. */
export interface PanelActions {
  chosen(files: readonly File[]): void;
  cancel(): void;
  save(): void;
}

/** What is offered for download. */
export interface Offer {
  readonly href: string;
  readonly fileName: string;
  readonly label: string;
  /** Whether the browser can check while it saves. */
  readonly canSave: boolean;
}

/** Everything a verdict is shown with. */
export interface Shown {
  readonly report: Report;
  readonly telling: Telling;
  readonly command: CommandFiles;
  /** The reader's own files on which the verdict rests. */
  readonly own: readonly OwnFile[];
  /** What became of a download or of other chosen files, beside the verdict. */
  readonly remarks: readonly Node[];
}

export class Panel {
  readonly element: HTMLElement;
  #words: Words;
  readonly #actions: PanelActions;
  readonly #offer = html("div", { class: "offer", part: "download" });
  /** For screen readers alone; apart from the rest, so that it takes no room. */
  readonly #spoken = html("p", { class: "hidden", role: "status" });
  readonly #live = html("div", { class: "live", role: "status" });
  readonly #rest = html("div", { class: "rest" });
  readonly #input = html("input", { type: "file", multiple: "", class: "file", part: "input", id: "file" });
  readonly #chooser: HTMLElement;
  readonly #own = html("div", { class: "own-place" });
  readonly #line = html("span", { class: "choose-line" });
  readonly #note = html("span", { class: "choose-note", id: "choose-note" });

  constructor(words: Words, actions: PanelActions) {
    this.#words = words;
    this.#actions = actions;
    this.#input.setAttribute("aria-describedby", "choose-note");
    this.#chooser = html(
      "div",
      { class: "chooser", part: "chooser" },
      html("span", { class: "choose-icon" }, icon("choose")),
      html("label", { class: "choose-text", for: "file" }, this.#line),
      this.#note,
      this.#input,
    );
    this.element = html(
      "section",
      { class: "panel", part: "panel", "data-state": "idle" },
      html("slot", { name: "heading" }),
      this.#offer,
      this.#spoken,
      this.#live,
      this.#rest,
      this.#chooser,
      this.#own,
      html("slot"),
    );
    this.#listen();
    this.showIdle();
  }

  get state(): State {
    return this.element.dataset["state"] as State;
  }

  /** Shows other words from the next change on; at once when nothing runs. */
  setWords(words: Words): void {
    this.#words = words;
    if (this.state === "idle") this.showIdle();
  }

  setOffer(offer: Offer | null): void {
    this.#offer.replaceChildren();
    if (offer === null) return;
    const { panel } = this.#words;
    const label = sentence(panel.download, { name: offer.label });
    const link = html("a", { href: offer.href, download: offer.fileName, class: "button" }, label);
    if (offer.canSave) {
      link.className = "button quiet";
      const save = sentence(panel.save, { name: offer.label });
      const saver = button("", () => this.#actions.save(), { class: "button", part: "save" });
      saver.append(save);
      this.#offer.append(saver, link);
    } else {
      this.#offer.append(link, html("p", { class: "choose-note" }, panel.downloadThen));
    }
  }

  /** Puts the form for the reader's own files there, or takes it away. */
  setOwn(form: HTMLElement | null): void {
    this.#own.replaceChildren(...(form === null ? [] : [form]));
  }

  /** Waits for a file; the remarks say why, where there is something to say. */
  showIdle(remarks: readonly Node[] = [], note: string | null = null): void {
    const { panel } = this.#words;
    this.#enter("idle");
    this.#rest.replaceChildren();
    this.#live.setAttribute("role", "status");
    this.#live.replaceChildren(
      ...remarks.map((remark) => html("p", { class: "remark", part: "remark", tabindex: -1 }, remark)),
    );
    this.#line.textContent = panel.choose;
    this.#note.textContent = note ?? panel.chooseNote;
  }

  /** `which` says which file it is, where there are several. */
  showWorking(which: string | null = null): WorkingView {
    const hadFocus = this.#holdsFocus();
    this.#enter("working");
    this.#rest.replaceChildren();
    const view = workingView(this.#words, () => this.#actions.cancel(), which);
    this.#live.setAttribute("role", "status");
    this.#live.replaceChildren();
    this.#spoken.textContent = which ?? this.#words.panel.starting;
    this.#rest.replaceChildren(view.element);
    if (hadFocus) view.cancel.focus();
    return view;
  }

  showVerdict(shown: Shown): void {
    const { report, telling, remarks } = shown;
    this.#showResult(telling.state, isAlarming(telling.state), verdictView(report, telling, remarks, this.#words));
    this.#rest.replaceChildren(...this.#detailsOf(shown));
  }

  /** A verdict to stand in a list of several. */
  resultOf(name: string, shown: Shown): Result {
    const { report, telling, remarks } = shown;
    return {
      name,
      state: telling.state,
      verdict: (rank) => verdictView(report, telling, remarks, this.#words, rank),
      details: () => this.#detailsOf(shown),
    };
  }

  /** A result for each file, and none for all of them. */
  showSeveral(results: readonly Result[], remarks: readonly Node[]): void {
    const { summary, list } = severalView(results, this.#words);
    summary.append(...remarks.map((remark) => html("p", { class: "verdict-remark" }, remark)));
    this.#showResult(
      "several",
      results.some(({ state }) => isAlarming(state)),
      summary,
    );
    this.#rest.replaceChildren(list);
  }

  #showResult(state: State, alarming: boolean, result: HTMLElement): void {
    this.#enter(state);
    this.#live.setAttribute("role", alarming ? "alert" : "status");
    this.#live.replaceChildren(result);
    this.#line.textContent = this.#words.panel.chooseAnother;
    this.#note.textContent = this.#words.panel.chooseNote;
    result.querySelector<HTMLElement>(".headline")?.focus();
  }

  #detailsOf({ report, telling, command, own }: Shown): Node[] {
    const words = wordsOfOwn(this.#words, own);
    return [
      checksView(report, words),
      html(
        "section",
        { class: "block" },
        html("h3", {}, telling.state === "verified" ? words.chain.title : words.chain.heading),
        chainFigure(report, words),
      ),
      detailsView(report, words),
      commandView(command, words),
      reportView(report, words),
    ];
  }

  focusInput(): void {
    this.#input.focus();
  }

  #enter(state: State): void {
    this.element.dataset["state"] = state;
    this.#spoken.textContent = "";
    this.#chooser.hidden = state === "working";
    this.#offer.hidden = state !== "idle";
  }

  #holdsFocus(): boolean {
    const root = this.element.getRootNode();
    const active = root instanceof ShadowRoot ? root.activeElement : document.activeElement;
    return active !== null && this.element.contains(active);
  }

  #listenForDrops(): void {
    const over = this.#chooser.classList;
    this.#chooser.addEventListener("dragenter", () => over.add("over"));
    for (const end of ["dragleave", "drop", "dragend"]) {
      this.#chooser.addEventListener(end, () => over.remove("over"));
    }
    this.#chooser.addEventListener("dragover", (event) => event.preventDefault());
    this.#chooser.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) this.#actions.chosen(files);
    });
  }

  #listen(): void {
    this.#input.addEventListener("change", () => {
      const files = [...(this.#input.files ?? [])];
      // The same file may be chosen again, after it was downloaded again.
      this.#input.value = "";
      if (files.length > 0) this.#actions.chosen(files);
    });
    this.#listenForDrops();
  }
}
