/** Hashing while writing: a download that is kept only when it verifies. */

import { reportOf } from "./check.js";
import { loadModule, withInstance } from "./engine.js";
import { Fault, throwIfAborted } from "./fault.js";
import { hash, type Hashed } from "./hashing.js";
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
      hash(instance, stream, {
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
  /** The digests to compute; empty when the answer is known without the file. */
  algorithms: string[];
  /** The published size in bytes, if the bundle gives it. */
  size: number | null;
  /** Whether the signature is over the file itself, so that `verify` must be given it and not its digests. */
  content: boolean;
}

/** What to compute for a file of that name. Rejects when the bundle, trust root or policy cannot be had. */
export async function planFor(options: {
  bundle: Source;
  trust: Source;
  policy: Source;
  publicKey?: Source;
  name?: string;
  signal?: AbortSignal;
}): Promise<Plan> {
  const named = { ...options, publicKey: options.publicKey ?? new Uint8Array() };
  const sources = (["bundle", "trust", "policy", "publicKey"] as const).map((what) =>
    bytesOf(wireSource(named[what], what), {
      maxBytes: limits[what],
      tooLarge: "setup.input.too-large",
      notFound: "setup.service.unreachable",
      signal: options.signal,
    }),
  );
  const [bundle, trust, policy, key] = (await Promise.all(sources)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return withInstance(await loadModule(), (instance) => {
    const verification = new instance.Verification(bundle, trust, policy, Math.floor(Date.now() / 1000));
    verification.setArtifact(options.name);
    if (options.publicKey) verification.setKey(key);
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
    plan = { algorithms: [], size: null, content: false };
  }
  // What cannot be had or read makes its own report, without the file.
  if (plan.algorithms.length === 0) return verify({ digests: [] }, options);
  try {
    const kept = new Kept(plan.content ? limits.content : 0);
    const { digests, size, beginning } = await hashAndWrite(kept.passing(stream), writable, {
      ...options,
      algorithms: plan.algorithms,
    });
    return await verify(kept.holds(size) ? kept.blob() : { digests, size, beginning }, options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return reportOf(error, requestOf({ digests: [] }, options));
  }
}

/** What passes by, as long as it is no more than so many bytes: a signature over the file itself is checked over it. */
class Kept {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(readonly maxBytes: number) {}

  passing(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    if (this.maxBytes === 0) return stream;
    const keep = (piece: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>) => {
      if (this.#bytes + piece.length <= this.maxBytes) {
        this.#pieces.push(piece.slice());
        this.#bytes += piece.length;
      } else {
        this.#pieces.length = 0;
      }
      controller.enqueue(piece);
    };
    return stream.pipeThrough(new TransformStream({ transform: keep }));
  }

  /** Whether all of a file of that size was kept. */
  holds(size: number): boolean {
    return this.maxBytes > 0 && this.#bytes === size;
  }

  blob(): Blob {
    return new Blob(this.#pieces);
  }
}
