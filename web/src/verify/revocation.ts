/**
 * Revocation evidence: what was given, what the certificates' own addresses say, and what they said before.
 *
 * CRLs first: fetching one does not tell a server which file is looked at. OCSP is asked only if the policy requires an
 * answer and no CRL gives one: the certificate names none, it cannot be had, it is slow, or it does not cover the
 * certificate. Only addresses that the core names are asked, and what they answer is for the core to believe or not.
 *
 * All are asked at once, and none holds up a check for long: see the times below.
 */

import type { Instance, Verification } from "./engine.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import { type Certified, KeptCrls, webAddresses } from "./kept-crls.js";
import { limits } from "./report.js";
import { bytesOf, fetchBytes, type Patience, type Wanted, type WireSource } from "./source.js";
import type { Step } from "./types.js";

/** What the core says of one certificate (wasm/src/verification.rs). */
interface Place extends Certified {
  subject: "signer" | "authority" | "timestamp-authority";
  required: boolean;
  /** Whether what was handed in says something recent of it. */
  covered: boolean;
  ocsp_urls: string[];
  ocsp_request: string;
}

export interface RevocationTask {
  /** When the asking that is going on began, as `performance.now` counts. */
  begun: number;
  /** As of when is verified, in seconds since 1970. */
  nowSeconds: number;
  instance: Instance;
  verification: Verification;
  signal: AbortSignal | undefined;
  onStep: (step: Step) => void;
}

/** What the caller gives, and whether more may be fetched. */
export interface RevocationRequest {
  crls: readonly WireSource[];
  ocspResponses: readonly WireSource[];
  network: "fetch" | "none";
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

/**
 * What one check does about revocation. It begins before the file's digests are known. Of several bundles the file's own
 * may be named only with them, and lines that somebody added may see to that. So what is not known by then is asked when
 * they are.
 */
export class RevocationInquiry {
  readonly #task: RevocationTask;
  readonly #request: RevocationRequest;
  readonly #kept: KeptCrls;
  readonly #lists: Lists;
  /** The certificates that were named so far. */
  readonly #named = new Set<string>();

  constructor(task: RevocationTask, request: RevocationRequest) {
    this.#task = task;
    this.#request = request;
    this.#kept = new KeptCrls(task.verification, task.nowSeconds);
    this.#lists = new Lists(task, this.#kept);
  }

  /** Hands in what was given, what is fetched for certificates that this does not cover, and what was seen before. */
  async begin(): Promise<void> {
    await addGiven(this.#task, this.#request);
    await this.goOn();
  }

  /** The same for the certificates that are named now and were not before. No address is asked again. */
  async goOn(): Promise<void> {
    const places = placesOf(this.#task).filter(({ certificate }) => !this.#named.has(certificate));
    for (const { certificate } of places) this.#named.add(certificate);
    // Whoever was slow before has used up nobody else's time.
    this.#task.begun = performance.now();
    const isLess = await this.#kept.read(places);
    if (this.#request.network === "fetch") {
      // What was handed in and is too old covers nothing.
      const named = isLess ? placesOf(this.#task) : places;
      const open = new Set(named.filter(({ covered }) => !covered).map(({ certificate }) => certificate));
      await addFetched(
        this.#task,
        places.filter(({ certificate }) => open.has(certificate)),
        this.#lists,
        this.#kept,
      );
    }
    for (const place of places) this.#kept.handInKept(place);
  }
}

/** What cannot be had is told and left out. */
async function addGiven(task: RevocationTask, { crls, ocspResponses }: RevocationRequest): Promise<void> {
  const [lists, responses] = await Promise.all([
    Promise.all(crls.map((source) => given(task, source, wanted(task, limits.crl)))),
    Promise.all(ocspResponses.map((source) => given(task, source, wanted(task, limits.ocsp)))),
  ]);
  for (const list of lists) if (list) task.verification.addCrl(list);
  for (const response of responses) if (response) task.verification.addOcspResponse(response);
}

async function addFetched(task: RevocationTask, places: readonly Place[], lists: Lists, kept: KeptCrls): Promise<void> {
  const pending = places.map((place) => lists.of(place));
  for (const asking of pending) asking.catch(() => {});
  const asksOcsp = places.some((place) => place.required && place.ocsp_urls.length > 0);
  if (asksOcsp) await settledWithin(pending, LISTS_FIRST_MILLISECONDS);
  throwIfAborted(task.signal);
  const answers = asksOcsp
    ? Promise.all(openPlaces(task, places, lists, kept).map((place) => askOcsp(task, place)))
    : undefined;
  answers?.catch(() => {});
  await Promise.all(pending);
  lists.handIn(places);
  for (const response of (await answers) ?? []) if (response) task.verification.addOcspResponse(response);
}

/** Of which certificates nothing recent is known now, when their lists answered or had their time. */
function openPlaces(task: RevocationTask, places: readonly Place[], lists: Lists, kept: KeptCrls): Place[] {
  lists.handIn(places);
  for (const place of places) if (lists.isSettled(place)) kept.handInKept(place);
  const asked = new Set(places.map(({ certificate }) => certificate));
  // The digests may have come meanwhile, and other certificates with them.
  return placesOf(task).filter(({ certificate, covered }) => !covered && asked.has(certificate));
}

function placesOf({ verification }: RevocationTask): Place[] {
  return JSON.parse(verification.revocationSources()) as Place[];
}

/** Waits until all are there, for that time at most. */
async function settledWithin(pending: readonly Promise<unknown>[], milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  try {
    await Promise.race([Promise.all(pending), time]);
  } finally {
    clearTimeout(timer);
  }
}

/** The CRLs of one check; each address is asked once. */
class Lists {
  readonly #task: RevocationTask;
  readonly #kept: KeptCrls;
  readonly #asked = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #came = new Map<string, Uint8Array>();
  readonly #settled = new Set<Place>();

  constructor(task: RevocationTask, kept: KeptCrls) {
    this.#task = task;
    this.#kept = kept;
  }

  /** Asks a certificate's addresses, until one says something recent of it. */
  async of(place: Place): Promise<void> {
    const asks = webAddresses(place.crl_urls).map((url) => async () => {
      const bytes = await this.#ask(url, place);
      const isRecent = bytes !== undefined && (await this.#kept.take(place, url, bytes));
      return isRecent ? url : undefined;
    });
    await firstOf(asks);
    this.#settled.add(place);
  }

  /** Whether a certificate's addresses have answered. */
  isSettled(place: Place): boolean {
    return this.#settled.has(place);
  }

  /** Hands in what came, in the order of the certificates, whatever came first. */
  handIn(places: readonly Place[]): void {
    for (const url of places.flatMap(({ crl_urls }) => webAddresses(crl_urls))) {
      const bytes = this.#came.get(url.href);
      if (bytes) this.#kept.handIn(bytes);
    }
  }

  #ask(url: URL, place: Place): Promise<Uint8Array | undefined> {
    const asked = this.#asked.get(url.href) ?? this.#fetch(url, place);
    this.#asked.set(url.href, asked);
    return asked;
  }

  #fetch(url: URL, place: Place): Promise<Uint8Array | undefined> {
    const patience = this.#kept.isGood(place) ? HURRIED : left(this.#task);
    return attempt(this.#task, url.href, async () => {
      const bytes = await fetchBytes(url, { ...wanted(this.#task, limits.crl), patience });
      if (!this.#task.instance.isCrl(bytes)) {
        throw new Fault("setup.service.unreachable", url.href, "a CRL", "something else");
      }
      this.#came.set(url.href, bytes);
      return bytes;
    });
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
  if (!required) return Promise.resolve(undefined);
  const urls = webAddresses(ocsp_urls);
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

/** Tells how it went; what failed gives nothing. */
async function attempt(
  task: RevocationTask,
  url: string,
  fetch: () => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
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

/** RFC 6960 appendix A.1: GET with the request in the path, which needs no preflight. */
function ocspAddress(responder: URL, request: string): URL {
  const url = new URL(responder);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(request)}`;
  return url;
}
