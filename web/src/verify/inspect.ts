/** Looking at an object without judging it. */

import { loadModule, withInstance } from "./engine.js";
import type { Finding } from "./report.js";
import { bytesOf, wireSource } from "./source.js";
import type { Source } from "./types.js";

/** A decoded object: texts, numbers, flags, lists and named parts. */
export type View = string | number | boolean | View[] | { [name: string]: View };

/** What it is, or why it cannot be read. */
export type Sight = { view: View } | { finding: Finding };

/**
 * Decodes a bundle, trust root, certificate, CRL, timestamp or OCSP message (JSON or DER) and shows it. Nothing is
 * verified: what is shown may be anybody's. Rejects when it cannot be had.
 */
export async function inspect(source: Source, options: { signal?: AbortSignal } = {}): Promise<Sight> {
  const bytes = await bytesOf(wireSource(source, "the object"), {
    maxBytes: 32 * 1024 * 1024,
    tooLarge: "setup.input.too-large",
    notFound: "setup.service.unreachable",
    signal: options.signal,
  });
  return withInstance(await loadModule(), (instance) => JSON.parse(instance.inspect(bytes)) as Sight);
}
