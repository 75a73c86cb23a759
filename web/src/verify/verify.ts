/** The door for callers: what they hand in is looked at here, and only misuse throws. */

import type { CheckRequest, WireArtifact } from "./check.js";
import { nodeModule } from "./node.js";
import { hexLengths, type Report } from "./report.js";
import { run } from "./runner.js";
import { wireSource } from "./source.js";
import type { Artifact, KnownDigests, VerifyOptions } from "./types.js";

/**
 * Verifies a file by its bundle.
 *
 * Every verdict resolves, also "rejected" and "not checked"; nothing but a whole pass is "verified". Rejects with a
 * `TypeError` for what cannot be meant, and with the signal's reason (an `AbortError`) when it is aborted.
 */
export async function verify(artifact: Artifact, options: VerifyOptions): Promise<Report> {
  const request = requestOf(artifact, options);
  const report = await run(request, {
    signal: options.signal,
    onProgress: told(options.onProgress),
    onStep: told(options.onStep),
  });
  tellOwner(report);
  return report;
}

/** Visitors cannot mend a site: what keeps every check from running is also told where its owner looks. */
function tellOwner(report: Report): void {
  const [finding] = report.findings;
  if (typeof document === "undefined" || !finding || !report.code?.startsWith("setup.site.")) return;
  const { title, subject, expected, found } = finding;
  console.error(
    `Countersign: ${[title, subject, expected && `Needed: ${expected}.`, found].filter(Boolean).join(" ")}`,
  );
}

/** What the caller handed in, looked at. Throws a `TypeError` for misuse. */
export function requestOf(artifact: Artifact, options: VerifyOptions): CheckRequest {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("options are missing: bundle, trust and policy");
  }
  for (const what of ["bundle", "trust", "policy"] as const) {
    if (options[what] === undefined) throw new TypeError(`${what} is missing`);
  }
  const { revocation = {}, name, offeredAs, now, signal, size } = options;
  if (revocation.network !== undefined && revocation.network !== "fetch" && revocation.network !== "none") {
    throw new TypeError('revocation.network must be "fetch" or "none"');
  }
  if (name !== undefined && typeof name !== "string") throw new TypeError("name must be a text");
  if (offeredAs !== undefined && typeof offeredAs !== "string") throw new TypeError("offeredAs must be a text");
  if (options.names !== undefined && options.names !== "noted" && options.names !== "exact") {
    throw new TypeError('names must be "noted" or "exact"');
  }
  if (now !== undefined && !(now instanceof Date && Number.isFinite(now.getTime()))) {
    throw new TypeError("now must be a Date");
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("signal must be an AbortSignal");
  for (const listener of ["onProgress", "onStep"] as const) {
    if (options[listener] !== undefined && typeof options[listener] !== "function") {
      throw new TypeError(`${listener} must be a function`);
    }
  }
  return {
    artifact: wireArtifact(artifact, size),
    bundle: wireSource(options.bundle, "bundle"),
    trust: wireSource(options.trust, "trust"),
    policy: wireSource(options.policy, "policy"),
    publicKey: options.publicKey === undefined ? null : wireSource(options.publicKey, "publicKey"),
    crls: (revocation.crls ?? []).map((source) => wireSource(source, "revocation.crls")),
    ocspResponses: (revocation.ocspResponses ?? []).map((source) => wireSource(source, "revocation.ocspResponses")),
    network: revocation.network ?? "fetch",
    name: name ?? nameOf(artifact),
    offeredAs: offeredAs ?? null,
    names: options.names ?? "noted",
    nowSeconds: now === undefined ? null : Math.floor(now.getTime() / 1000),
  };
}

/** The name that the file brings. */
function nameOf(artifact: Artifact): string | null {
  if (artifact instanceof Blob) return "name" in artifact ? String(artifact.name) : null;
  if (!(artifact instanceof URL)) return null;
  const name = artifact.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    throw new TypeError("the file's address is not in UTF-8");
  }
}

function wireArtifact(artifact: Artifact, size: number | undefined): WireArtifact {
  if (artifact instanceof Blob) return { kind: "blob", blob: artifact };
  if (artifact instanceof URL) {
    if (artifact.protocol === "file:" && nodeModule("node:fs/promises")) return { kind: "file", url: artifact.href };
    throw new TypeError("a URL must be one of a file, in Node");
  }
  if (artifact instanceof ReadableStream) {
    if (artifact.locked) throw new TypeError("the stream is being read by somebody else");
    return { kind: "stream", stream: artifact, size: sizeOf(size) };
  }
  if (typeof artifact === "object" && artifact !== null && "digests" in artifact) {
    const { beginning = null } = artifact;
    if (beginning !== null && !(beginning instanceof Uint8Array)) throw new TypeError("beginning must be a Uint8Array");
    return { kind: "digests", digests: digestsOf(artifact.digests), size: sizeOf(artifact.size), beginning };
  }
  throw new TypeError("the file must be a Blob, a ReadableStream, a file: URL or { digests }");
}

function sizeOf(size: number | undefined): number | null {
  if (size === undefined) return null;
  if (!Number.isSafeInteger(size) || size < 0) throw new TypeError("size must be a number of bytes");
  return size;
}

function digestsOf(digests: KnownDigests["digests"]): string[] {
  if (typeof digests !== "object" || digests === null) throw new TypeError("digests must be a list or an object");
  const texts = Array.isArray(digests)
    ? digests.map(String)
    : Object.entries(digests).map(([name, hex]) => `${name}:${hex}`);
  for (const text of texts) {
    const [, name = "", hex = ""] = /^(sha\d+):([0-9a-f]+)$/i.exec(text) ?? [];
    if (hex.length === 0 || hex.length !== hexLengths[name.toLowerCase()]) {
      throw new TypeError(`no digest: ${text.slice(0, 200)}`);
    }
  }
  return texts;
}

/** A listener's own mistakes are its page's, not the verification's. */
function told<T>(listener: ((what: T) => void) | undefined): (what: T) => void {
  return (what) => {
    try {
      listener?.(what);
    } catch (error) {
      if (typeof reportError === "function") reportError(error);
      else console.error(error);
    }
  };
}
