/** Hashing of a stream in constant memory, with progress. */

import type { Instance } from "./engine.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import type { Progress } from "./types.js";

/** One buffer, used over and over: larger ones gain nothing, smaller ones cost calls. */
const BUFFER_BYTES = 1024 * 1024;
/** As many as core's `BEGINNING_OCTETS`. */
const BEGINNING_BYTES = 7;
const PROGRESS_MILLISECONDS = 100;
/** The rate is that of the last seconds, so that a pause shows. */
const RATE_MILLISECONDS = 3_000;

export interface Hashed {
  /** `sha384:HEX` each. */
  digests: string[];
  /** Bytes read. */
  size: number;
  /** The first seven of them, or all that there are: they tell a file from a signed statement. */
  beginning: Uint8Array;
}

export interface HashOptions {
  algorithms: readonly string[];
  total: number | null;
  signal: AbortSignal | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** Takes each piece too, before the next is read. */
  write?: (piece: Uint8Array) => Promise<void>;
}

/**
 * Reads the stream to its end. Throws `setup.input.unreadable` as a `Fault` when it breaks, and the signal's reason;
 * the stream is cancelled then.
 */
export async function hashStream(
  instance: Instance,
  stream: ReadableStream<Uint8Array>,
  options: HashOptions,
): Promise<Hashed> {
  const hasher = new instance.Hasher(options.algorithms.join(","));
  const progress = new ProgressMeter(options.total, options.onProgress);
  const pieces = piecesOf(stream, options.signal);
  const beginning: number[] = [];
  for await (const piece of pieces) {
    hasher.update(piece);
    if (beginning.length < BEGINNING_BYTES) beginning.push(...piece.subarray(0, BEGINNING_BYTES - beginning.length));
    await options.write?.(piece);
    if (progress.advance(piece.length)) await turn();
  }
  progress.end();
  const digests = hasher.finish().split(",").filter(Boolean);
  return { digests, size: progress.done, beginning: Uint8Array.from(beginning) };
}

/** Pieces that are valid until the next is asked for. */
async function* piecesOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const read = pieceReader(stream);
  const cancel = () => void read.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  let finished = false;
  try {
    for (;;) {
      throwIfAborted(signal);
      const piece = await read.next();
      throwIfAborted(signal);
      if (piece === undefined) {
        finished = true;
        return;
      }
      if (!(piece instanceof Uint8Array)) throw new TypeError("the stream gives other things than bytes");
      yield piece;
    }
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throw new Fault("setup.input.unreadable", null, null, wordsOf(error));
  } finally {
    signal?.removeEventListener("abort", cancel);
    if (!finished) cancel();
  }
}

interface PieceReader {
  next(): Promise<Uint8Array | undefined>;
  cancel(reason: unknown): Promise<void>;
}

/** Reads into one recycled buffer where the stream can, else as it comes. */
function pieceReader(stream: ReadableStream<Uint8Array>): PieceReader {
  const direct = directReader(stream);
  if (direct) {
    let buffer = new ArrayBuffer(BUFFER_BYTES);
    return {
      async next() {
        const { done, value } = await direct.read(new Uint8Array(buffer));
        if (value) buffer = value.buffer;
        return done ? undefined : value;
      },
      cancel: (reason) => direct.cancel(reason),
    };
  }
  const reader = stream.getReader();
  return { next: async () => (await reader.read()).value, cancel: (reason) => reader.cancel(reason) };
}

function directReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

/** Lets messages in: pieces that are there already would never give up the thread. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Counts, and tells at most every tenth of a second. */
class ProgressMeter {
  done = 0;
  #told = performance.now();
  readonly #marks: Array<{ time: number; done: number }> = [{ time: this.#told, done: 0 }];

  constructor(
    readonly total: number | null,
    readonly tell: ((progress: Progress) => void) | undefined,
  ) {}

  /** Whether a tenth of a second has passed. */
  advance(count: number): boolean {
    this.done += count;
    const now = performance.now();
    if (now - this.#told < PROGRESS_MILLISECONDS) return false;
    this.#told = now;
    this.#say(now);
    return true;
  }

  end(): void {
    this.#say(performance.now());
  }

  #say(now: number): void {
    this.#marks.push({ time: now, done: this.done });
    while (this.#marks.length > 2 && now - (this.#marks[0]?.time ?? now) > RATE_MILLISECONDS) this.#marks.shift();
    const first = this.#marks[0] ?? { time: now, done: 0 };
    const seconds = Math.max((now - first.time) / 1000, 0.001);
    const bytesPerSecond = (this.done - first.done) / seconds;
    const left = this.total === null ? null : Math.max(this.total - this.done, 0);
    const secondsLeft = left === null ? null : left === 0 ? 0 : bytesPerSecond > 0 ? left / bytesPerSecond : null;
    this.tell?.({ done: this.done, total: this.total, bytesPerSecond, secondsLeft });
  }
}
