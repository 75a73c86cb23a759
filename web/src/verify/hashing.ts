/** Hashing of a file in bounded memory, with progress. */

import type { Instance } from "./engine.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import { nodeModule } from "./node.js";
import type { Progress } from "./types.js";

/** One buffer, used over and over: larger ones gain nothing, smaller ones cost calls. */
const BUFFER_BYTES = 1024 * 1024;
/** Of a `Blob`, which gives no stream into a buffer of ours as fast. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** What is read whole, where the browser hashes what is in memory faster than we do. */
const WHOLE_BYTES = 32 * 1024 * 1024;
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

/** A file of a page's visitor, a stream, or the address of a file where there is Node. */
export type Readable = Blob | ReadableStream<Uint8Array> | URL;

/**
 * Reads all of it. Throws `setup.input.unreadable` as a `Fault` when it cannot be read to its end, and the signal's reason;
 * a stream is cancelled then.
 */
export async function hash(instance: Instance, from: Readable, options: HashOptions): Promise<Hashed> {
  const { algorithms, signal } = options;
  const hasher = isShort(from) ? new WholeHasher(algorithms) : pieceHasher(instance, algorithms);
  const progress = new ProgressMeter(options.total, options.onProgress);
  const beginning: number[] = [];
  for await (const piece of piecesOf(from, signal)) {
    await hasher.update(piece);
    if (beginning.length < BEGINNING_BYTES) beginning.push(...piece.subarray(0, BEGINNING_BYTES - beginning.length));
    await options.write?.(piece);
    if (progress.advance(piece.length)) await turn();
  }
  progress.end();
  return { digests: await hasher.finish(), size: progress.done, beginning: Uint8Array.from(beginning) };
}

/** Hashes what comes piece by piece; `sha384:HEX` each. */
interface Hasher {
  update(piece: Uint8Array): void | Promise<void>;
  finish(): string[] | Promise<string[]>;
}

/** Node's own is several times as fast as WebAssembly; browsers have none that takes pieces. */
function pieceHasher(instance: Instance, algorithms: readonly string[]): Hasher {
  const node = nodeModule("node:crypto");
  if (node) {
    const each = algorithms.map((name) => ({ name, hash: node.createHash(name) }));
    return {
      update: (piece) => each.forEach(({ hash: own }) => own.update(piece)),
      finish: () => each.map(({ name, hash: own }) => `${name}:${own.digest("hex")}`),
    };
  }
  const hasher = new instance.Hasher(algorithms.join(","));
  return { update: (piece) => hasher.update(piece), finish: () => hasher.finish().split(",").filter(Boolean) };
}

/** Whether the browser is to hash it whole, which is faster; it can only where the page came by a secure connection. */
function isShort(from: Readable): from is Blob {
  const canHash = typeof crypto === "object" && typeof crypto.subtle === "object";
  return from instanceof Blob && from.size <= WHOLE_BYTES && canHash && !nodeModule("node:crypto");
}

/** Hashes a file that comes as one piece. */
class WholeHasher implements Hasher {
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(readonly algorithms: readonly string[]) {}

  update(piece: Uint8Array): void {
    // What a Blob gives is shared with nobody.
    this.#piece = piece as Uint8Array<ArrayBuffer>;
  }

  async finish(): Promise<string[]> {
    const digest = async (name: string): Promise<string> => {
      const octets = new Uint8Array(await crypto.subtle.digest(name.replace(/^sha/, "SHA-"), this.#piece));
      return `${name}:${Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("")}`;
    };
    return Promise.all(this.algorithms.map(digest));
  }
}

/** Pieces that are valid until the next is asked for; a short file is one piece. */
async function* piecesOf(from: Readable, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const read =
    from instanceof ReadableStream ? streamReader(from) : from instanceof Blob ? blobReader(from) : fileReader(from);
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

/** A short file whole, else a slice at a time, the next one being read while one is hashed. */
function blobReader(blob: Blob): PieceReader {
  const step = isShort(blob) ? WHOLE_BYTES : SLICE_BYTES;
  let at = 0;
  const slice = (): Promise<ArrayBuffer> | undefined => {
    if (at >= blob.size) return undefined;
    const octets = blob.slice(at, at + step).arrayBuffer();
    // Whoever gives up does not ask for it any more.
    octets.catch(() => {});
    at += step;
    return octets;
  };
  let next = slice();
  return {
    async next() {
      const octets = await next;
      next = slice();
      return octets && new Uint8Array(octets);
    },
    cancel: () => Promise.resolve(),
  };
}

/** A file where there is Node, into two buffers in turn: one is filled while the other is hashed. */
function fileReader(url: URL): PieceReader {
  const opened = nodeModule("node:fs/promises")?.open(url);
  const buffers = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)] as const;
  let turns = 0;
  const read = async (): Promise<Uint8Array | undefined> => {
    const buffer = buffers[turns++ % 2 === 0 ? 0 : 1];
    const done = await (await opened)?.read(buffer, 0, buffer.length);
    return done?.bytesRead ? buffer.subarray(0, done.bytesRead) : undefined;
  };
  const close = async (): Promise<void> => (await opened)?.close();
  let ahead = read();
  return {
    async next() {
      const piece = await ahead;
      if (piece === undefined) {
        await close();
        return undefined;
      }
      ahead = read();
      ahead.catch(() => {});
      return piece;
    },
    async cancel() {
      await ahead.catch(() => {});
      await close();
    },
  };
}

/** The size of a file where there is Node; nothing of what is no file. Throws `setup.input.unreadable` as a `Fault`. */
export async function fileSize(url: URL): Promise<number | undefined> {
  try {
    const opened = await nodeModule("node:fs/promises")?.stat(url);
    return opened?.isFile() ? opened.size : undefined;
  } catch (error) {
    throw new Fault("setup.input.unreadable", url.href, null, wordsOf(error));
  }
}

/** Reads into one recycled buffer where the stream can, else as it comes. */
function streamReader(stream: ReadableStream<Uint8Array>): PieceReader {
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
