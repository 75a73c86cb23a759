/**
 * The form in which readers say deliberately that they want to check by files of their own, and what a verdict then
 * rests on. Trust never comes from files that are chosen with a download (`choice.ts`).
 */

import { button, html } from "../drawing/nodes.js";
import type { Words } from "../words/words.js";
import type { Sources } from "./sources.js";

/** What the attribute `own-trust` allows: no form, a form, or nothing but what is chosen in it. */
export type OwnTrust = "none" | "allowed" | "only";

/** Those files of the reader's own that decide whom a check trusts. */
export type OwnFile = "trust" | "policy" | "publicKey";

/** What was chosen in the form. */
export type OwnSources = Partial<Pick<Sources, OwnFile | "bundle" | "crls">>;

export function ownTrustOf(attribute: string | null): OwnTrust {
  if (attribute === null) return "none";
  return attribute === "only" ? "only" : "allowed";
}

/** On which of the reader's own files a verdict rests; none: on the site's alone. */
export function restingOn(own: OwnSources): OwnFile[] {
  return (["trust", "policy", "publicKey"] as const).filter((what) => own[what] !== undefined);
}

/** The form; `changed` is given all that is chosen now. */
export function ownView(
  words: Words,
  allowed: Exclude<OwnTrust, "none">,
  changed: (sources: OwnSources) => void,
): HTMLElement {
  const { own } = words;
  const inputs = {
    trust: field("own-trust", ".json,application/json"),
    policy: field("own-policy", ".json,application/json"),
    publicKey: field("own-key", ".pem,.pub,.der"),
    bundle: field("own-bundle", ".json,.jsonl,.sigstore,application/json"),
    crls: field("own-crls", ".crl,.pem"),
  };
  inputs.crls.multiple = true;
  const collect = (): void => {
    const chosen: Record<string, unknown> = {};
    for (const what of ["trust", "policy", "publicKey", "bundle"] as const) {
      const file = inputs[what].files?.[0];
      if (file !== undefined) chosen[what] = file;
    }
    const crls = [...(inputs.crls.files ?? [])];
    changed(crls.length > 0 ? { ...chosen, crls } : chosen);
  };
  for (const input of Object.values(inputs)) input.addEventListener("change", collect);
  const view = html(
    "details",
    { class: "own", part: "own" },
    html("summary", {}, own.summary),
    html("p", {}, allowed === "only" ? own.noteOnly : own.note),
    labelled(own.trust, inputs.trust),
    labelled(own.policy, inputs.policy),
    labelled(own.publicKey, inputs.publicKey),
    labelled(own.bundle, inputs.bundle),
    labelled(own.crls, inputs.crls),
    button(
      own.clear,
      () => {
        for (const input of Object.values(inputs)) input.value = "";
        changed({});
      },
      { class: "quiet" },
    ),
  );
  view.open = allowed === "only";
  return view;
}

/** The words of a verdict that rests on the reader's own files: nothing in them is this site's. */
export function wordsOfOwn(words: Words, own: readonly OwnFile[]): Words {
  if (own.length === 0) return words;
  const { chain } = words;
  return {
    ...words,
    byCode: { ...words.byCode, ...words.own.byCode },
    chain: {
      ...chain,
      title: chain.heading,
      ...(own.includes("trust") && { anchorNote: words.own.anchorNote }),
      ...(own.includes("publicKey") && { givenKey: words.own.givenKey }),
    },
  };
}

/** `trust root and policy`. */
export function ownNames(own: readonly OwnFile[], words: Words): string {
  const names = own.map((what) => words.own.names[what]);
  return new Intl.ListFormat(words.language, { type: "conjunction" }).format(names);
}

function field(id: string, accept: string): HTMLInputElement {
  return html("input", { type: "file", id, accept });
}

function labelled(text: string, input: HTMLInputElement): HTMLElement {
  return html("div", { class: "own-field" }, html("label", { for: input.id }, text), input);
}
