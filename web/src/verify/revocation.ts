/**
 * Revocation evidence: what was given, and what the certificates' own addresses say.
 *
 * CRLs first: fetching one does not tell a server which file is looked at. OCSP is asked only if the policy requires an
 * answer and no CRL gives one: the certificate names none, it cannot be had, it is slow, or it does not cover the
 * certificate. Only addresses that the core names are asked, and what they answer is for the core to believe or not.
 *
 * All are asked at once, and none holds up a check for long: see the times below.
 */

import { type CrlAge, isNewer, keepCrl, keptCrl } from "./crl-cache.js";
import type { Instance, Verification } from "./engine.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import { limits } from "./report.js";
import { bytesOf, fetchBytes, type Patience, type Wanted, type WireSource } from "./source.js";
import type { Step } from "./types.js";

/** What the core says of one certificate (wasm/src/verification.rs). */
interface Place {
  subject: "signer" | "authority" | "timestamp-authority";
  required: boolean;
  crl_urls: string[];
  ocsp_urls: string[];
  /** The issuer's certificate, DER in Base64. */
  issuer: string;
  ocsp_request: string | null;
}

export interface RevocationTask {
  /** When asking began, as `performance.now` counts. */
  begun: number;
  instance: Instance;
  verification: Verification;
  nowSeconds: number;
  signal: AbortSignal | undefined;
  onStep: (step: Step) => void;
}

/** What wasm/src/crl.rs says of a CRL. */
interface CrlFacts {
  authentic: boolean;
  this_update: number;
  next_update: number;
  number: string;
}

/** A service that does not begin to answer in 8 s is taken to be away. */
const TOTAL_MILLISECONDS = 8_000;
/** A CRL that has begun to come may take longer while it goes on: 32 MiB at 5 Mbit/s take 54 s. */
const PATIENT: Patience = { answer: TOTAL_MILLISECONDS, pause: TOTAL_MILLISECONDS, whole: 60_000 };
/** With a kept CRL that is still good at hand, a newer one is worth this much. */
const HURRIED: Patience = { answer: 3_000, pause: 3_000, whole: TOTAL_MILLISECONDS };
/** Whatever is asked late has at least this long to begin its answer. */
const LEAST_MILLISECONDS = 2_000;
/** A place that is slow is given so long before another is asked as well. */
const SLOW_MILLISECONDS = 3_000;
/** CRLs are given so long before OCSP is asked as well. */
const LISTS_FIRST_MILLISECONDS = 5_000;

/** Nobody's cookies, and no word of where the question comes from. */
const ANONYMOUS: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", mode: "cors" };

/** Hands in what the caller gave; what cannot be had is told and left out. */
export async function addGiven(task: RevocationTask, crls: readonly WireSource[], ocspResponses: readonly WireSource[]): Promise<void> {
  const [lists, responses] = await Promise.all([
    Promise.all(crls.map((source) => given(task, source, wanted(task, limits.crl)))),
    Promise.all(ocspResponses.map((source) => given(task, source, wanted(task, limits.ocsp)))),
  ]);
  for (const list of lists) if (list) task.verification.addCrl(list);
  for (const response of responses) if (response) task.verification.addOcspResponse(response);
}

/** Fetches what was not given. */
export async function addFetched(task: RevocationTask): Promise<void> {
  const places = placesOf(task);
  const lists = new Lists(task);
  const pending = places.map((place) => lists.of(place));
  for (const list of pending) list.catch(() => {});
  const seen = new Set<Uint8Array>();
  // In the order of the certificates, whatever came first.
  const addLists = (found: readonly (Uint8Array | undefined)[]): void => {
    for (const bytes of [...found, ...lists.older]) {
      if (!bytes || seen.has(bytes)) continue;
      seen.add(bytes);
      task.verification.addCrl(bytes);
    }
  };
  const asksOcsp = places.some((place) => place.required && place.ocsp_request && place.ocsp_urls.length > 0);
  if (!asksOcsp) return addLists(await Promise.all(pending));
  addLists(await settledWithin(pending, LISTS_FIRST_MILLISECONDS));
  throwIfAborted(task.signal);
  const answers = Promise.all(placesOf(task).map((place) => askOcsp(task, place)));
  answers.catch(() => {});
  addLists(await Promise.all(pending));
  for (const response of await answers) if (response) task.verification.addOcspResponse(response);
}

/** What is still to be asked about. */
function placesOf({ verification }: RevocationTask): Place[] {
  return JSON.parse(verification.revocationSources()) as Place[];
}

/** What is there after that time at the latest. */
async function settledWithin<T>(pending: readonly Promise<T>[], milliseconds: number): Promise<(T | undefined)[]> {
  const found: (T | undefined)[] = pending.map(() => undefined);
  const all = Promise.all(pending.map(async (each, index) => void (found[index] = await each)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  try {
    await Promise.race([all, time]);
  } finally {
    clearTimeout(timer);
    all.catch(() => {});
  }
  return found;
}

/** The CRLs of one check; each address is asked once. */
class Lists {
  /** Those from before that nothing newer took the place of. */
  readonly older: Uint8Array[] = [];
  readonly #task: RevocationTask;
  readonly #asked = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(task: RevocationTask) {
    this.#task = task;
  }

  /** The CRL for a certificate from the first of its addresses that gives one. */
  of({ crl_urls, issuer }: Place): Promise<Uint8Array | undefined> {
    const asks = crl_urls.map(webAddress).filter((url) => url !== undefined).map((url) => () => {
      const list = this.#asked.get(url.href) ?? this.#fetch(url, octets(issuer));
      this.#asked.set(url.href, list);
      return list;
    });
    return firstOf(asks);
  }

  /** The CRL that the address has now, or the one that was kept and is good. */
  async #fetch(url: URL, issuer: Uint8Array): Promise<Uint8Array | undefined> {
    const { instance, nowSeconds } = this.#task;
    const kept = await keptCrl(url.href);
    const isGood = kept !== undefined && kept.age.nextUpdate > nowSeconds;
    let isSuperseded = false;
    const fresh = await attempt(this.#task, url.href, async () => {
      const limit = { ...wanted(this.#task, limits.crl), patience: isGood ? HURRIED : left(this.#task) };
      const bytes = await fetchBytes(url, limit);
      const text = instance.crlFacts(bytes, issuer);
      if (text === undefined) throw new Fault("setup.service.unreachable", url.href, "a CRL", "something else");
      const { authentic, ...facts } = JSON.parse(text) as CrlFacts;
      // What anybody can make does not push out what the issuer made.
      if (!authentic) return bytes;
      const age: CrlAge = { thisUpdate: facts.this_update, nextUpdate: facts.next_update, number: facts.number };
      await keepCrl(url.href, { bytes, age });
      if (kept && isNewer(age, kept.age)) isSuperseded = true;
      return bytes;
    });
    if (!kept || isSuperseded) return fresh;
    if (!fresh && isGood) return kept.bytes;
    this.older.push(kept.bytes);
    return fresh;
  }
}

/** Asks one after the other, and the next as well if one is slow; the first that gives something. */
function firstOf<T>(asks: readonly (() => Promise<T | undefined>)[]): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let open = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = (): void => {
      clearTimeout(timer);
      const ask = asks[next++];
      if (ask === undefined) return open === 0 ? resolve(undefined) : undefined;
      open += 1;
      timer = setTimeout(begin, SLOW_MILLISECONDS);
      ask().then(
        (found) => {
          open -= 1;
          if (found === undefined) return begin();
          clearTimeout(timer);
          resolve(found);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    };
    begin();
  });
}

/** An OCSP answer about a certificate that must be known of; it says to the responder which file is looked at. */
function askOcsp(task: RevocationTask, { required, ocsp_request, ocsp_urls }: Place): Promise<Uint8Array | undefined> {
  if (!required || !ocsp_request) return Promise.resolve(undefined);
  const urls = ocsp_urls.map(webAddress).filter((url) => url !== undefined);
  const ask = (url: URL) => () => {
    const limit = { ...wanted(task, limits.ocsp), patience: { ...left(task), whole: TOTAL_MILLISECONDS } };
    return attempt(task, url.href, () => fetchBytes(ocspAddress(url, ocsp_request), limit));
  };
  return firstOf(urls.map(ask));
}

/** What is left of the time that all of it may take. */
function left({ begun }: RevocationTask): Patience {
  const answer = Math.max(LEAST_MILLISECONDS, TOTAL_MILLISECONDS - (performance.now() - begun));
  return { ...PATIENT, answer };
}

function octets(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Tells how it went; what failed gives nothing. */
async function attempt(task: RevocationTask, url: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  task.onStep({ step: "revocation", state: "begun", url });
  try {
    const bytes = await fetch();
    task.onStep({ step: "revocation", state: "done", url });
    return bytes;
  } catch (error) {
    if (isAbort(error, task.signal)) throw error;
    if (!(error instanceof Fault)) throw error;
    task.onStep({ step: "revocation", state: "failed", url, reason: wordsOf(error) });
    return undefined;
  }
}

async function given(task: RevocationTask, source: WireSource, limit: Wanted): Promise<Uint8Array | undefined> {
  if ("url" in source) return attempt(task, source.url, () => bytesOf(source, limit));
  return bytesOf(source, limit).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error;
    task.onStep({ step: "revocation", state: "failed", reason: wordsOf(error) });
    return undefined;
  });
}

function wanted(task: RevocationTask, maxBytes: number): Wanted {
  return {
    maxBytes,
    tooLarge: "revocation.too-large",
    notFound: "setup.service.unreachable",
    signal: task.signal,
    request: ANONYMOUS,
    patience: PATIENT,
  };
}

/** http and https alone. A page under https may not ask http at all, so there it asks https instead. */
function webAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol === "http:" && globalThis.location?.protocol === "https:") url.protocol = "https:";
  return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
}

/** RFC 6960 appendix A.1: GET with the request in the path, which needs no preflight. */
function ocspAddress(responder: URL, request: string): URL {
  const url = new URL(responder);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(request)}`;
  return url;
}
