/**
 * Revocation evidence: what was given, and what the certificates' own addresses say.
 *
 * CRLs first: fetching one does not tell a server which file is looked at. OCSP is asked only where the policy requires
 * an answer and the certificate names no CRL. Only addresses that the core names are asked, and what they answer is for
 * the core to believe or not.
 */

import { keepCrl, keptCrl } from "./crl-cache.js";
import type { Instance, Verification } from "./engine.js";
import { Fault, isAbort, wordsOf } from "./fault.js";
import { unarmoured } from "./pem.js";
import { limits } from "./report.js";
import { bytesOf, fetchBytes, type Wanted, type WireSource } from "./source.js";
import type { Step } from "./types.js";

/** What the core says of one certificate (wasm/src/verification.rs). */
interface Place {
  subject: "signer" | "authority" | "timestamp-authority";
  required: boolean;
  crl_urls: string[];
  ocsp_urls: string[];
  ocsp_request: string | null;
}

export interface RevocationTask {
  instance: Instance;
  verification: Verification;
  nowSeconds: number;
  signal: AbortSignal | undefined;
  onStep: (step: Step) => void;
}

/** Nobody's cookies, and no word of where the question comes from. */
const ANONYMOUS: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", mode: "cors" };

/** Hands in what the caller gave; what cannot be had is told and left out. */
export async function addGiven(task: RevocationTask, crls: readonly WireSource[], ocspResponses: readonly WireSource[]): Promise<void> {
  const [lists, responses] = await Promise.all([
    Promise.all(crls.map((source) => given(task, source, wanted(task, limits.crl)))),
    Promise.all(ocspResponses.map((source) => given(task, source, wanted(task, limits.ocsp)))),
  ]);
  for (const list of lists) if (list) task.verification.addCrl(unarmoured(list, "X509 CRL"));
  for (const response of responses) if (response) task.verification.addOcspResponse(response);
}

/** Fetches what was not given. All at once; the order of handing in stays that of the certificates. */
export async function addFetched(task: RevocationTask): Promise<void> {
  const places = JSON.parse(task.verification.revocationSources()) as Place[];
  const asked = new Map<string, Promise<Uint8Array | undefined>>();
  const fetched = await Promise.all(places.map((place) => fetchPlace(task, place, asked)));
  const seen = new Set<Uint8Array>();
  for (const piece of fetched) {
    if (!piece || seen.has(piece.bytes)) continue;
    seen.add(piece.bytes);
    if (piece.kind === "crl") task.verification.addCrl(piece.bytes);
    else task.verification.addOcspResponse(piece.bytes);
  }
}

interface Piece {
  kind: "crl" | "ocsp";
  bytes: Uint8Array;
}

async function fetchPlace(task: RevocationTask, place: Place, asked: Map<string, Promise<Uint8Array | undefined>>): Promise<Piece | undefined> {
  const lists = place.crl_urls.map(webAddress).filter((url) => url !== undefined);
  for (const url of lists) {
    const list = asked.get(url.href) ?? fetchCrl(task, url);
    asked.set(url.href, list);
    const bytes = await list;
    if (bytes) return { kind: "crl", bytes };
  }
  if (place.crl_urls.length > 0 || !place.required || !place.ocsp_request) return undefined;
  for (const url of place.ocsp_urls.map(webAddress).filter((url) => url !== undefined)) {
    const bytes = await attempt(task, url.href, () => fetchBytes(ocspAddress(url, place.ocsp_request ?? ""), wanted(task, limits.ocsp)));
    if (bytes) return { kind: "ocsp", bytes };
  }
  return undefined;
}

/** A CRL from its address, else the one kept from before, while its successor is not due. */
async function fetchCrl(task: RevocationTask, url: URL): Promise<Uint8Array | undefined> {
  const fresh = await attempt(task, url.href, async () => {
    const bytes = unarmoured(await fetchBytes(url, wanted(task, limits.crl)), "X509 CRL");
    const nextUpdateSeconds = task.instance.crlNextUpdate(bytes);
    if (nextUpdateSeconds === undefined) throw new Fault("setup.service.unreachable", url.href, "a CRL", "something else");
    if (nextUpdateSeconds > task.nowSeconds) await keepCrl(url.href, { bytes, nextUpdateSeconds });
    return bytes;
  });
  return fresh ?? keptCrl(url.href, task.nowSeconds);
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
