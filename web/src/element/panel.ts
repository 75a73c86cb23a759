/**
 * What is seen of a `<verify-download>`: one of idle, working, or a verdict. It shows what it is told and
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
  /** What became of a download, beside the verdict. */
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

  /** Waits for a file; `remark` says why, where there is something to say. */
  showIdle(remark: Node | null = null, note: string | null = null): void {
    const { panel } = this.#words;
    this.#enter("idle");
    this.#rest.replaceChildren();
    this.#live.setAttribute("role", "status");
    this.#live.replaceChildren(
      ...(remark === null ? [] : [html("p", { class: "remark", part: "remark", tabindex: -1 }, remark)]),
    );
    this.#line.textContent = panel.choose;
    this.#note.textContent = note ?? panel.chooseNote;
  }

  showWorking(): WorkingView {
    const hadFocus = this.#holdsFocus();
    this.#enter("working");
    this.#rest.replaceChildren();
    const view = workingView(this.#words, () => this.#actions.cancel());
    this.#live.setAttribute("role", "status");
    this.#live.replaceChildren();
    this.#spoken.textContent = this.#words.panel.starting;
    this.#rest.replaceChildren(view.element);
    if (hadFocus) view.cancel.focus();
    return view;
  }

  showVerdict({ report, telling, command, remarks }: Shown): void {
    this.#enter(telling.state);
    const words = this.#words;
    this.#live.setAttribute("role", isAlarming(telling.state) ? "alert" : "status");
    const verdict = verdictView(report, telling, remarks, words);
    this.#live.replaceChildren(verdict);
    this.#rest.replaceChildren(
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
    );
    this.#line.textContent = words.panel.chooseAnother;
    this.#note.textContent = words.panel.chooseNote;
    verdict.querySelector<HTMLElement>(".headline")?.focus();
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
