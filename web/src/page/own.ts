/** Files that the reader chose to take the place of what the page brings: trust root, policy, bundle, CRLs. */

import { html } from "../drawing/nodes.js";
import type { Sources } from "../element/sources.js";
import type { Words } from "../words/words.js";

/** Whether the page brings anything itself. */
export type Bringing = "everything" | "nothing";

/** The inputs; `changed` is given all that is chosen now. */
export function ownView(
  words: Words,
  bringing: Bringing,
  changed: (sources: Partial<Sources>) => void,
): HTMLElement {
  const { page } = words;
  const inputs = {
    trust: field("own-trust", ".json,application/json"),
    policy: field("own-policy", ".json,application/json"),
    bundle: field("own-bundle", ".json,.sigstore,application/json"),
    crls: field("own-crls", ".crl,.pem"),
  };
  inputs.crls.multiple = true;
  const collect = (): void => {
    const first = (input: HTMLInputElement): File | undefined => input.files?.[0];
    const [trust, policy, bundle] = [first(inputs.trust), first(inputs.policy), first(inputs.bundle)];
    const crls = [...(inputs.crls.files ?? [])];
    changed({
      ...(trust && { trust }),
      ...(policy && { policy }),
      ...(bundle && { bundle }),
      ...(crls.length > 0 && { crls }),
    });
  };
  for (const input of Object.values(inputs)) input.addEventListener("change", collect);
  const view = html(
    "details",
    { class: "own" },
    html("summary", {}, page.own),
    html("p", {}, page.ownNote),
    labelled(page.ownTrust, inputs.trust),
    labelled(page.ownPolicy, inputs.policy),
    labelled(page.ownBundle, inputs.bundle),
    labelled(page.ownCrls, inputs.crls),
  );
  view.open = bringing === "nothing";
  return view;
}

function field(id: string, accept: string): HTMLInputElement {
  return html("input", { type: "file", id, accept });
}

function labelled(text: string, input: HTMLInputElement): HTMLElement {
  return html("div", { class: "own-field" }, html("label", { for: input.id }, text), input);
}
