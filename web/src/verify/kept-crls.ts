/**
 * What was seen of a certificate's CRLs before, in one check. Somebody on the way, or whoever hands in evidence, may show
 * a CRL from before a revocation. So the kept CRLs of every address of a certificate are judged too, whatever else is
 * there, and a revocation that was seen is not forgotten.
 *
 * What is kept is bounded, and what had to go leaves its age behind: an older CRL than that is not used any more.
 *
 * A CRL is kept, and takes the place of an older one, only if the core gets an answer about the certificate from it: then
 * it is its issuer's, and of the right shard. cli/src/revocation_evidence.rs does the same.
 */

import { type CrlAge, forgottenAge, isNewer, keepCrl, type KeptCrl, keptCrl, type Slot, slotOf } from "./crl-cache.js";
import type { Verification } from "./engine.js";

/** A certificate, as the core describes it. */
export interface Certified {
  crl_urls: string[];
  /** DER in Base64. */
  certificate: string;
  /** The digest of the issuer's public key. */
  issuer_key: string;
}

/** What the core says of a CRL (wasm/src/crl.rs). */
interface CrlFacts {
  answers: boolean;
  fresh: boolean;
  this_update: number;
  number: string;
  revokes: boolean;
  next_update: number | null;
}

/** How far a clock may run ahead of this one; the core forgives as much. */
const CLOCK_SKEW_SECONDS = 300;

/** A kept CRL that says something of a certificate. */
interface Kept {
  slot: Slot;
  crl: KeptCrl;
  isFresh: boolean;
  /** Whether a newer one of the same address came. */
  isSuperseded: boolean;
}

/** The kept CRLs of one check. */
export class KeptCrls {
  readonly #verification: Verification;
  readonly #nowSeconds: number;
  readonly #kept = new Map<Certified, Kept[]>();
  readonly #handedIn: Uint8Array[] = [];
  /** The ages of those that were seen at an address and are kept no more. */
  readonly #forgotten = new Map<Slot, CrlAge>();
  readonly #outdated = new Set<Uint8Array>();

  constructor(verification: Verification, nowSeconds: number) {
    this.#verification = verification;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Reads what is kept of these certificates. CRLs that the verification has already are kept from now on, or taken from
   * it if they are older than what was seen. Whether one was taken.
   */
  async read(certificates: readonly Certified[]): Promise<boolean> {
    for (const certificate of certificates) this.#kept.set(certificate, await this.#keptFor(certificate));
    let isLess = false;
    for (let index = 0; ;) {
      const bytes = this.#verification.crlAt(index);
      if (!bytes) return isLess;
      for (const certificate of certificates) await this.#take(certificate, webAddresses(certificate.crl_urls), bytes);
      if (this.#outdated.has(bytes)) {
        this.#verification.removeCrl(index);
        isLess = true;
      } else {
        this.#handedIn.push(bytes);
        index += 1;
      }
    }
  }

  async #keptFor(certificate: Certified): Promise<Kept[]> {
    const found: Kept[] = [];
    for (const url of webAddresses(certificate.crl_urls)) {
      const slot = slotOf(url, certificate.issuer_key);
      const forgotten = await forgottenAge(slot);
      if (forgotten && forgotten.thisUpdate <= this.#nowSeconds + CLOCK_SKEW_SECONDS) {
        this.#forgotten.set(slot, forgotten);
      }
      const crl = await keptCrl(slot);
      if (crl) found.push(...this.#asKept(certificate, slot, crl));
    }
    return found;
  }

  /** One, or none if it says nothing of the certificate. */
  #asKept(certificate: Certified, slot: Slot, crl: KeptCrl): Kept[] {
    const facts = this.#factsOf(certificate, crl.bytes);
    return facts?.answers ? [{ slot, crl, isFresh: facts.fresh, isSuperseded: false }] : [];
  }

  /** Whether a kept CRL says something of a certificate that is still recent. */
  isGood(certificate: Certified): boolean {
    return this.#of(certificate).some(({ isFresh }) => isFresh);
  }

  /** Keeps a CRL that came from an address if it says something of the certificate; whether that is recent. */
  take(certificate: Certified, url: URL, bytes: Uint8Array): Promise<boolean> {
    return this.#take(certificate, [url], bytes);
  }

  async #take(certificate: Certified, urls: readonly URL[], bytes: Uint8Array): Promise<boolean> {
    const facts = this.#factsOf(certificate, bytes);
    if (!facts?.answers) return false;
    const age = { thisUpdate: facts.this_update, number: facts.number };
    const slots = urls.map((url) => slotOf(url, certificate.issuer_key));
    if (slots.some((slot) => isOlder(age, this.#forgotten.get(slot)))) {
      this.#outdated.add(bytes);
      return false;
    }
    for (const slot of slots) {
      const newest = await keepCrl(slot, { bytes, age }, { revokes: facts.revokes, until: facts.next_update });
      // Another verification may have kept it since this one began.
      const newer = isNewer(newest.age, age) ? this.#asKept(certificate, slot, newest) : [];
      const best = newer[0]?.crl.age ?? age;
      const all = this.#kept.get(certificate) ?? [];
      for (const kept of all) {
        if (kept.slot === slot && isNewer(best, kept.crl.age)) kept.isSuperseded = true;
      }
      all.push(...newer);
    }
    return facts.fresh;
  }

  /** Adds a CRL to the verification, unless it is there. */
  handIn(bytes: Uint8Array): void {
    if (this.#outdated.has(bytes)) return;
    if (this.#handedIn.some((other) => isEqual(other, bytes))) return;
    this.#handedIn.push(bytes);
    this.#verification.addCrl(bytes);
  }

  /** Adds what was kept of a certificate to the verification, except what something newer took the place of. */
  handInKept(certificate: Certified): void {
    for (const { crl, isSuperseded } of this.#of(certificate)) if (!isSuperseded) this.handIn(crl.bytes);
  }

  #of(certificate: Certified): readonly Kept[] {
    return this.#kept.get(certificate) ?? [];
  }

  #factsOf({ certificate }: Certified, bytes: Uint8Array): CrlFacts | undefined {
    const text = this.#verification.crlFacts(bytes, octets(certificate));
    return text === undefined ? undefined : (JSON.parse(text) as CrlFacts);
  }
}

/** Those of http and https. A page under https may not ask http at all, so there it asks https instead. */
export function webAddresses(texts: readonly string[]): URL[] {
  return texts.map(webAddress).filter((url) => url !== undefined);
}

function webAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol === "http:" && globalThis.location?.protocol === "https:") url.protocol = "https:";
  return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
}

function isOlder(age: CrlAge, seen: CrlAge | undefined): boolean {
  return seen !== undefined && isNewer(seen, age);
}

function octets(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}
