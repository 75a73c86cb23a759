/** What one check is made with, and where it comes from when nobody says: FILE.sigstore.json and its like. */

import type { Source } from "../verify/index.js";
import type { Labels } from "./telling.js";

/** Everything a check needs besides the file. */
export interface Sources {
  readonly bundle: Source;
  readonly trust: Source;
  readonly policy: Source;
  /** CRLs that are at hand, DER or PEM: beside the release, or chosen in the form. */
  readonly crls: readonly Source[];
  /** The key that must have signed, for a bundle by a managed key, which has no certificate. */
  readonly publicKey?: Source | undefined;
  /** The name under which it must have been signed; the file's own name where there is none. */
  readonly expected?: string | undefined;
  readonly labels: Labels;
}

/** Finds the sources for a chosen file; null when the file is none of those offered. */
export type Resolver = (file: File) => Promise<Sources | null>;

/** Where trust root and policy are by convention, from the page. */
export const TRUST_NAME = "trusted_root.json";
export const POLICY_NAME = "policy.json";

/** The bundle beside an address. */
export function bundleBeside(address: URL): URL {
  const bundle = new URL(address);
  bundle.pathname += ".sigstore.json";
  return bundle;
}

/** An address that may stand in a link: http(s) only, so that no link runs a script; null for others. */
export function linkable(address: string | null, base: string): URL | null {
  const found = address === null ? null : URL.parse(address, base);
  return found?.protocol === "https:" || found?.protocol === "http:" ? found : null;
}

/** The last part of an address, as a file's name. */
export function fileName(address: URL): string {
  const last = address.pathname.split("/").pop() ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** `app (1).zip` is what browsers make of a second `app.zip`. */
export function withoutCount(name: string): string {
  return name.replace(/ ?\(\d{1,3}\)(?=(\.[^.]*)*$)/, "");
}

/** What a source is called for a person; the conventional name where it has none. */
export function sourceName(source: Source | undefined, conventional: string): string {
  if (source instanceof File) return source.name;
  if (source instanceof URL) return fileName(source) || conventional;
  return conventional;
}

/** The attributes of an element as sources; `file` is what the reader chose. */
export function sourcesFromAttributes(element: HTMLElement, file: { readonly name: string }): Sources {
  const at = (address: string): URL => new URL(address, element.baseURI);
  const attribute = (name: string): string | undefined => element.getAttribute(name) ?? undefined;
  const src = attribute("src");
  const bundle = attribute("bundle");
  const key = attribute("key");
  const besideWhat = src ?? encodeURIComponent(file.name);
  return {
    bundle: bundle === undefined ? bundleBeside(at(besideWhat)) : at(bundle),
    trust: at(attribute("trust") ?? TRUST_NAME),
    policy: at(attribute("policy") ?? POLICY_NAME),
    crls: (attribute("revocation") ?? "").split(/\s+/).filter(Boolean).map(at),
    publicKey: key === undefined ? undefined : at(key),
    expected: attribute("expected") ?? (src === undefined ? undefined : fileName(at(src))),
    labels: {
      name: attribute("name"),
      version: attribute("version"),
      publisher: attribute("publisher"),
    },
  };
}
