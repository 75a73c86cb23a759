/** What callers hand in and hear. The report's own types are generated (report.ts). */

/**
 * Where something comes from: a URL (text or `URL`), the bytes themselves, a `Blob`, or the parsed JSON. Text is
 * always a URL, relative to the page; in Node it must be whole (`https:` or `file:`).
 */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob | object;

/** A file of which only digests are known: `["sha384:HEX"]` or `{ sha384: "HEX" }`. */
export interface KnownDigests {
  digests: readonly string[] | Readonly<Record<string, string>>;
  /** Its size in bytes, if known. */
  size?: number;
  /** Its first seven bytes, or all that there are, if known: they tell a file from a signed statement. */
  beginning?: Uint8Array;
}

/** What is to be verified; in Node also a `file:` URL, which is read and hashed fastest. */
export type Artifact = Blob | ReadableStream<Uint8Array> | URL | KnownDigests;

/** How far reading the file is. */
export interface Progress {
  /** Bytes read. */
  done: number;
  /** Bytes in all; null for a stream of unknown length. */
  total: number | null;
  bytesPerSecond: number;
  /** null until it can be told. */
  secondsLeft: number | null;
}

/** What is being done. */
export type StepName = "load" | "bundle" | "trust" | "policy" | "publicKey" | "hash" | "revocation" | "verify";

/** A step begins, is done, or failed; a failed one says what could not be had and why. */
export interface Step {
  step: StepName;
  state: "begun" | "done" | "failed";
  /** What it was about, where it is an address. */
  url?: string;
  /** Why it failed. */
  reason?: string;
}

/** What is known of revocation, and what may be asked. */
export interface Revocation {
  /** CRLs, DER or PEM. */
  crls?: readonly Source[];
  /** OCSP responses, DER. */
  ocspResponses?: readonly Source[];
  /**
   * Whether CRLs may be fetched from the addresses in certificates that chain to the trust root, and OCSP asked where
   * the policy requires an answer and no CRL gives one. The default is "fetch". CRLs that were seen before are judged
   * in either case, until `forgetCrls`.
   */
  network?: "fetch" | "none";
}

/** How to verify. */
export interface VerifyOptions {
  /** The Sigstore bundle published beside the file. */
  bundle: Source;
  /** The trust root, `trusted_root.json`. */
  trust: Source;
  /** The policy: who may sign. */
  policy: Source;
  revocation?: Revocation;
  /** The public key that must have signed, PEM or DER, for a bundle by a managed key, which has no certificate. */
  publicKey?: Source;
  /** The file's name without folders; a `File` brings its own. */
  name?: string;
  /**
   * The name under which a page offers the file. It must be the one under which the file was signed, unless the
   * policy has `"names": "noted"`. If the file has another one by now, `names` says what becomes of it.
   */
  offeredAs?: string;
  /**
   * What becomes of a file that carries another name than the one under which it was signed, if the policy has no
   * `names`: "exact" rejects it, "noted", the default, gives a warning.
   */
  names?: "noted" | "exact";
  /** The size of a stream in bytes, if it is known before it ends. */
  size?: number;
  /** The time at which to judge; the default is the clock. */
  now?: Date;
  onProgress?: (progress: Progress) => void;
  onStep?: (step: Step) => void;
  signal?: AbortSignal;
}
