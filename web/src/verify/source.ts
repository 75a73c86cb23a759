/** Sources, made into bytes: fetched, read or written as JSON, and never more than is taken. */

import { askingBlocked, watchPolicy } from "./blocked.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import type { FindingCode } from "./findings.js";
import { readFile } from "./node.js";
import { fetchGuarded } from "./redirects.js";
import type { Source } from "./types.js";

/** How long an answer is waited for, in milliseconds. Browsers do not say when they are connected. */
export interface Patience {
  /** Until it begins. */
  answer: number;
  /** Until the next piece comes. */
  pause: number;
  /** Until all of it is there. */
  whole: number;
}

/** For what a check cannot do without, from whoever the caller named; the network may be slow. */
const NEEDED: Patience = { answer: 20_000, pause: 20_000, whole: 60_000 };

/** A source as it travels to a worker. */
export type WireSource = { url: string } | { bytes: Uint8Array } | { blob: Blob };

/**
 * The source in its travelling form.
 *
 * Throws a `TypeError` for what is none: that is misuse.
 */
export function wireSource(source: Source, what: string): WireSource {
  if (typeof source === "string" || source instanceof URL) return { url: absolute(source, what) };
  if (source instanceof Blob) return { blob: source };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source) };
  if (ArrayBuffer.isView(source)) {
    const view = new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
    // A part of a larger buffer would travel with the whole of it.
    return { bytes: view.length === source.buffer.byteLength ? view : view.slice() };
  }
  if (typeof source !== "object" || source === null) {
    throw new TypeError(`${what} must be a URL, bytes, a Blob or an object`);
  }
  const text = JSON.stringify(source);
  if (text === undefined) throw new TypeError(`${what} cannot be written as JSON`);
  return { bytes: new TextEncoder().encode(text) };
}

function absolute(url: string | URL, what: string): string {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    throw new TypeError(`${what} is no URL: ${String(url).slice(0, 200)}`);
  }
}

/** What is asked for, and what it is called when it cannot be had. */
export interface Wanted {
  maxBytes: number;
  tooLarge: FindingCode;
  /** For an address that is there no more. */
  notFound: FindingCode;
  signal: AbortSignal | undefined;
  request?: RequestInit;
  patience?: Patience;
}

/** The bytes. Throws a [`Fault`] for what cannot be had, and the signal's reason. */
export async function bytesOf(source: WireSource, wanted: Wanted): Promise<Uint8Array> {
  if ("bytes" in source) return bounded(source.bytes, wanted, null);
  if ("blob" in source) {
    if (source.blob.size > wanted.maxBytes) throw tooLarge(wanted, null, source.blob.size);
    try {
      return new Uint8Array(await source.blob.arrayBuffer());
    } catch (error) {
      throw new Fault("setup.input.unreadable", null, null, wordsOf(error));
    }
  }
  const url = new URL(source.url);
  if (url.protocol === "file:") {
    const bytes = await readFile(url).catch((error: unknown) => {
      const gone = (error as { code?: unknown }).code === "ENOENT";
      throw new Fault(gone ? wanted.notFound : "setup.input.unreadable", url.href, null, wordsOf(error));
    });
    if (bytes) return bounded(bytes, wanted, url.href);
  }
  return fetchBytes(url, wanted);
}

/** Fetches at most what is wanted. */
export async function fetchBytes(url: URL, wanted: Wanted): Promise<Uint8Array> {
  throwIfAborted(wanted.signal);
  watchPolicy();
  const { answer, pause, whole } = wanted.patience ?? NEEDED;
  const watch = new Watch(whole);
  const signal = wanted.signal ? AbortSignal.any([wanted.signal, watch.signal]) : watch.signal;
  const unreachable = (found: string) => new Fault("setup.service.unreachable", url.href, null, found);
  try {
    watch.expect("no answer", answer);
    // Never a stale copy: a bundle is replaced under its name, and a revocation must show.
    const response = await fetchGuarded(url, { cache: "no-cache", ...wanted.request, signal });
    if (response.status === 404 || response.status === 410) {
      throw new Fault(wanted.notFound, url.href, null, `HTTP ${response.status}`);
    }
    if (!response.ok) throw unreachable(`HTTP ${response.status}`);
    return await readBounded(response, wanted, url.href, () => watch.expect("nothing more", pause));
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (isAbort(error, wanted.signal)) throw wanted.signal?.reason;
    if (watch.late !== undefined) throw unreachable(watch.late);
    throw (await askingBlocked(url)) ?? unreachable(causeOf(error));
  } finally {
    watch.end();
  }
}

/** Gives up when what is expected does not come in time, or not all of it. */
class Watch {
  /** What did not come, and in what time; while in time, nothing. */
  late: string | undefined;
  readonly #controller = new AbortController();
  readonly #whole: ReturnType<typeof setTimeout>;
  #next: ReturnType<typeof setTimeout> | undefined;

  constructor(wholeMilliseconds: number) {
    this.#whole = this.#after(wholeMilliseconds, "not all of it");
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expect(what: string, milliseconds: number): void {
    clearTimeout(this.#next);
    this.#next = this.#after(milliseconds, what);
  }

  end(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#next);
  }

  #after(milliseconds: number, what: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.late ??= `${what} in ${Math.round(milliseconds / 1000)} seconds`;
      this.#controller.abort();
    }, milliseconds);
  }
}

/** Node hides the reason behind "fetch failed". */
function causeOf(error: unknown): string {
  const cause = (error as { cause?: unknown })?.cause;
  return cause === undefined ? wordsOf(error) : `${wordsOf(error)}: ${wordsOf(cause)}`;
}

async function readBounded(response: Response, wanted: Wanted, url: string, goesOn: () => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    goesOn();
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    length += value.length;
    if (length > wanted.maxBytes) {
      await reader?.cancel().catch(() => {});
      throw tooLarge(wanted, url, length);
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function bounded(bytes: Uint8Array, wanted: Wanted, url: string | null): Uint8Array {
  if (bytes.length > wanted.maxBytes) throw tooLarge(wanted, url, bytes.length);
  return bytes;
}

function tooLarge(wanted: Wanted, url: string | null, length: number): Fault {
  return new Fault(wanted.tooLarge, url, `at most ${wanted.maxBytes} bytes`, `${length} bytes or more`);
}
