/** Hashing while writing: a download that is kept only when it verifies. */

import { reportOf } from "./check.js";
import { loadModule, withInstance } from "./engine.js";
import { Fault, throwIfAborted } from "./fault.js";
import { hashStream, type Hashed } from "./hashing.js";
import { limits, type Report } from "./report.js";
import { bytesOf, wireSource } from "./source.js";
import type { Progress, Source, VerifyOptions } from "./types.js";
import { requestOf, verify } from "./verify.js";

export interface HashAndWriteOptions {
  /** Names such as `sha384`; `planFor` says which a bundle wants. */
  algorithms: readonly string[];
  /** The size in bytes, if it is known before the stream ends. */
  size?: number;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/**
 * Copies the stream to the writable and hashes it on the way. Neither closes nor aborts the writable: the caller closes
 * it when the digests verify and aborts it otherwise. Rejects when reading or writing fails, or on abort.
 */
export async function hashAndWrite(
  stream: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  options: HashAndWriteOptions,
): Promise<Hashed> {
  const module = await loadModule();
  const writer = writable.getWriter();
  try {
    return await withInstance(module, (instance) =>
      hashStream(instance, stream, {
        algorithms: options.algorithms,
        total: options.size ?? null,
        signal: options.signal,
        onProgress: options.onProgress,
        // The buffer is used again for the next piece, and a sink may keep what it was given.
        write: (piece) => writer.write(piece.slice()),
      }),
    );
  } finally {
    writer.releaseLock();
  }
}

/** What a bundle wants to know of a file. */
export interface Plan {
  /** The digests to compute; empty when the bundle cannot be read. */
  algorithms: string[];
  /** The published size in bytes, if the bundle gives it. */
  size: number | null;
}

/** What to compute for a file of that name. Rejects when the bundle, trust root or policy cannot be had. */
export async function planFor(
  options: { bundle: Source; trust: Source; policy: Source; name?: string; signal?: AbortSignal },
): Promise<Plan> {
  const sources = (["bundle", "trust", "policy"] as const).map((what) =>
    bytesOf(wireSource(options[what], what), {
      maxBytes: limits[what],
      tooLarge: "setup.input.too-large",
      notFound: "setup.service.unreachable",
      signal: options.signal,
    }),
  );
  const [bundle, trust, policy] = (await Promise.all(sources)) as [Uint8Array, Uint8Array, Uint8Array];
  return withInstance(await loadModule(), (instance) => {
    const verification = new instance.Verification(bundle, trust, policy, Math.floor(Date.now() / 1000));
    verification.setArtifact(options.name);
    return JSON.parse(verification.plan()) as Plan;
  });
}

/**
 * Saves a download and verifies it: the writable is closed only when the verdict is "verified", and aborted otherwise,
 * so that nothing stays that did not verify. The bundle is read before a byte is written. Rejects when writing fails, on
 * abort, and for misuse.
 */
export async function verifyAndSave(
  stream: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  options: VerifyOptions,
): Promise<Report> {
  let report: Report | undefined;
  try {
    throwIfAborted(options.signal);
    report = await saved(stream, writable, options);
    return report;
  } finally {
    if (report?.verdict === "verified") await writable.close();
    else {
      await stream.cancel().catch(() => {});
      await writable.abort("not verified").catch(() => {});
    }
  }
}

async function saved(
  stream: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  options: VerifyOptions,
): Promise<Report> {
  let plan: Plan;
  try {
    plan = await planFor(options);
  } catch {
    options.signal?.throwIfAborted();
    plan = { algorithms: [], size: null };
  }
  // What cannot be had or read makes its own report, without the file.
  if (plan.algorithms.length === 0) return verify({ digests: [] }, options);
  try {
    const { digests, size } = await hashAndWrite(stream, writable, { ...options, algorithms: plan.algorithms });
    return await verify({ digests, size }, options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return reportOf(error, requestOf({ digests: [] }, options));
  }
}
