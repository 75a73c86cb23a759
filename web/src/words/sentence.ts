/** Templates filled with facts, as nodes: nothing that is filled in is ever read as markup. */

import { SHOWN_CHARACTERS, shown, shownWhole } from "./shown.js";
import type { Template } from "./words.js";

export type Facts = Readonly<Record<string, string | undefined>>;

const PLACE = /\{(\*?)(\w+)\}/g;

/** The names of the places in a template. */
export function places(template: Template): string[] {
  return [...template.matchAll(PLACE)].map((match) => match[2] ?? "");
}

/**
 * The template as nodes. Each fact stands in a `<bdi>` of its own, shortened; its tooltip has the whole.
 */
export function sentence(template: Template, facts: Facts = {}): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let end = 0;
  for (const match of template.matchAll(PLACE)) {
    fragment.append(template.slice(end, match.index));
    fragment.append(isolated(facts[match[2] ?? ""] ?? "", match[1] === "*" ? "strong" : "plain"));
    end = match.index + match[0].length;
  }
  fragment.append(template.slice(end));
  return fragment;
}

/** The template as plain text, for labels and attributes. */
export function plain(template: Template, facts: Facts = {}): string {
  return template.replace(PLACE, (_whole, _star, place: string) => shown(facts[place] ?? ""));
}

/** Foreign text in a `<bdi>`. */
export function isolated(text: string, weight: "plain" | "strong" = "plain"): HTMLElement {
  const element = document.createElement("bdi");
  element.textContent = shown(text);
  if (text.length > SHOWN_CHARACTERS) element.title = shownWhole(text);
  if (weight === "plain") return element;
  const emphasis = document.createElement("strong");
  emphasis.append(element);
  return emphasis;
}
