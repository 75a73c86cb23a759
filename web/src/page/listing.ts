/** The list of downloads: each with its link and, where the browser can, a button that checks it as it is saved. */

import { button, html } from "../drawing/nodes.js";
import { canSave } from "../element/saving.js";
import { size } from "../words/quantity.js";
import { isolated, plain, sentence } from "../words/sentence.js";
import { shownWhole } from "../words/shown.js";
import type { Words } from "../words/words.js";
import type { Download, Release } from "./release.js";

export interface ListingActions {
  /** Download to a place of the reader's choice, checked on the way. */
  save(download: Download): void;
  /** The waiting file should be this one. */
  checkAs(download: Download): void;
}

export interface Listing {
  readonly element: HTMLElement;
  /** Offers each download as an answer to "which one is it?", or takes the offers back. */
  ask(question: "which" | "none"): void;
}

export function listingView(release: Release, words: Words, actions: ListingActions): Listing {
  const rows = release.downloads.map((download) => row(download, words, actions));
  const element = html(
    "section",
    { class: "downloads", "aria-labelledby": "downloads-title" },
    html("h2", { id: "downloads-title" }, release.title ? isolated(release.title) : words.page.downloads),
    html("ul", {}, ...rows.map((each) => each.element)),
  );
  return {
    element,
    ask: (question) => {
      for (const { choice } of rows) choice.hidden = question === "none";
    },
  };
}

function row(download: Download, words: Words, actions: ListingActions): { element: HTMLElement; choice: HTMLElement } {
  const { labels } = download.sources;
  const label = [labels.name, labels.version].filter(Boolean).join(" ") || download.fileName;
  const facts = [
    label === download.fileName ? null : isolated(download.fileName),
    download.size === undefined ? null : document.createTextNode(size(download.size, words.language)),
  ].filter((fact) => fact !== null);
  const link = html(
    "a",
    { href: download.address.href, download: download.fileName, class: "button quiet" },
    sentence(words.page.get),
    html("span", { class: "hidden" }, ` ${plain("{label}", { label })}`),
  );
  const choice = button(words.page.checkAs, () => actions.checkAs(download), { hidden: "", class: "choice" });
  const element = html(
    "li",
    { class: "download" },
    html(
      "div",
      { class: "download-text" },
      html("p", { class: "download-name", title: shownWhole(label) }, isolated(label)),
      html("p", { class: "download-facts" }, ...facts.flatMap((fact, index) => (index === 0 ? [fact] : [", ", fact]))),
      download.note ? html("p", { class: "download-facts" }, isolated(download.note)) : null,
    ),
    html(
      "div",
      { class: "download-actions" },
      choice,
      canSave() &&
        button(words.page.getAndCheck, () => actions.save(download), {
          class: "quiet",
          "aria-label": `${words.page.getAndCheck}: ${plain("{label}", { label })}`,
        }),
      link,
    ),
  );
  return { element, choice };
}
