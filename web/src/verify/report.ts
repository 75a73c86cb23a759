// Made by `cargo run -p xtask -- types` from docs/report.schema.json.

import type { FindingCode } from "./findings.js";

export interface Certificate {
  issuer: string;
  not_after: string;
  not_before: string;
  serial: string;
  subject: string;
}

export interface Finding {
  class: "note" | "warning" | "outdated" | "set-up" | "not-checked" | "danger";
  clause: string;
  code: FindingCode;
  exit_code: number;
  expected: string | null;
  found: string | null;
  remedy: string;
  subject: string | null;
  title: string;
}

/** What verification of one file found. */
export interface Report {
  artifact: {
    digests: Array<string>;
    name: string | null;
    /** In bytes. */
    size: number | null;
  };
  checked_at: string;
  checks: Array<{
    answer: string;
    outcome: "passed" | "failed" | "not-checked" | "not-required";
    question: "same-file" | "who-signed" | "when-signed" | "still-trusted" | "publicly-logged";
  }>;
  /** The finding that decides; null when verified. */
  code: FindingCode | null;
  exit_code: number;
  /** The most telling first. */
  findings: Array<Finding>;
  /** Who signed; null until the signature and, unless a key was given, the certificate's chain were verified. */
  signer: {
    /** Empty for a managed key. */
    chain: Array<Certificate>;
    /** `key sha256:…` where a managed key signed. */
    identity: string;
    /** The managed key that was given and that signed; null where a certificate says who signed. */
    key: {
      algorithm: string;
      /** SHA-256 of the SubjectPublicKeyInfo. */
      fingerprint: string;
      /** What the bundle says to help find it; not to be believed. */
      hint: string | null;
    } | null;
    oidc_issuer: string | null;
  } | null;
  /** The verified timestamps: the one that counts first, then the others, earliest first. None of them counts if the check when-signed is not-required. */
  timestamps: Array<{
    authority: string;
    time: string;
  }>;
  /** `verified` only when every required check passed. */
  verdict: "verified" | "outdated" | "not-checked" | "rejected";
  version: 1;
}

/** The question that a code of a rejection answers; those that are not here are about who signed, when, or where it was logged. */
export const rejections: Readonly<Partial<Record<FindingCode, "same-file" | "still-trusted">>> = {
  "content.incomplete": "same-file",
  "content.other-file": "same-file",
  "content.mismatch": "same-file",
  "content.name.other": "same-file",
  "content.digest.weak": "same-file",
  "revocation.revoked": "still-trusted",
  "revocation.on-hold": "still-trusted",
  "revocation.authority-revoked": "still-trusted",
  "revocation.compromise-strict": "still-trusted",
};

/** Reports of faults that keep the module itself from making one; the time, the artifact and what was found are filled in. */
export const faults: Readonly<Partial<Record<FindingCode, Report>>> & Readonly<Record<"internal.error", Report>> = {
  "internal.error": {"version":1,"verdict":"not-checked","code":"internal.error","exit_code":70,"artifact":{"name":null,"size":null,"digests":[]},"signer":null,"timestamps":[],"checks":[{"question":"same-file","outcome":"not-checked","answer":"This program made a mistake."},{"question":"who-signed","outcome":"not-checked","answer":"Not checked."},{"question":"when-signed","outcome":"not-checked","answer":"Not checked."},{"question":"still-trusted","outcome":"not-checked","answer":"Not checked."},{"question":"publicly-logged","outcome":"not-checked","answer":"Not checked."}],"findings":[{"code":"internal.error","class":"not-checked","exit_code":70,"title":"This program made a mistake.","subject":null,"expected":null,"found":null,"clause":"docs/findings.md","remedy":"Please report it, with what you did and what you saw."}],"checked_at":"1970-01-01T00:00:00Z"},
  "setup.service.unreachable": {"version":1,"verdict":"not-checked","code":"setup.service.unreachable","exit_code":3,"artifact":{"name":null,"size":null,"digests":[]},"signer":null,"timestamps":[],"checks":[{"question":"same-file","outcome":"not-checked","answer":"A service did not answer."},{"question":"who-signed","outcome":"not-checked","answer":"Not checked."},{"question":"when-signed","outcome":"not-checked","answer":"Not checked."},{"question":"still-trusted","outcome":"not-checked","answer":"Not checked."},{"question":"publicly-logged","outcome":"not-checked","answer":"Not checked."}],"findings":[{"code":"setup.service.unreachable","class":"not-checked","exit_code":3,"title":"A service did not answer.","subject":null,"expected":null,"found":null,"clause":"docs/cli.md","remedy":"Check the address and the network, then try again."}],"checked_at":"1970-01-01T00:00:00Z"},
  "setup.site.blocked": {"version":1,"verdict":"not-checked","code":"setup.site.blocked","exit_code":3,"artifact":{"name":null,"size":null,"digests":[]},"signer":null,"timestamps":[],"checks":[{"question":"same-file","outcome":"not-checked","answer":"This site's settings keep the check from running."},{"question":"who-signed","outcome":"not-checked","answer":"Not checked."},{"question":"when-signed","outcome":"not-checked","answer":"Not checked."},{"question":"still-trusted","outcome":"not-checked","answer":"Not checked."},{"question":"publicly-logged","outcome":"not-checked","answer":"Not checked."}],"findings":[{"code":"setup.site.blocked","class":"set-up","exit_code":3,"title":"This site's settings keep the check from running.","subject":null,"expected":null,"found":null,"clause":"docs/embedding.md","remedy":"If this is your site, change the setting that is named here. If not, tell the site's owner."}],"checked_at":"1970-01-01T00:00:00Z"},
  "setup.site.file-missing": {"version":1,"verdict":"not-checked","code":"setup.site.file-missing","exit_code":3,"artifact":{"name":null,"size":null,"digests":[]},"signer":null,"timestamps":[],"checks":[{"question":"same-file","outcome":"not-checked","answer":"A file that the check needs is not at its address."},{"question":"who-signed","outcome":"not-checked","answer":"Not checked."},{"question":"when-signed","outcome":"not-checked","answer":"Not checked."},{"question":"still-trusted","outcome":"not-checked","answer":"Not checked."},{"question":"publicly-logged","outcome":"not-checked","answer":"Not checked."}],"findings":[{"code":"setup.site.file-missing","class":"set-up","exit_code":3,"title":"A file that the check needs is not at its address.","subject":null,"expected":null,"found":null,"clause":"docs/embedding.md","remedy":"If this is your site, put the file there or correct the address. If not, tell the site's owner."}],"checked_at":"1970-01-01T00:00:00Z"},
  "setup.browser.unsupported": {"version":1,"verdict":"not-checked","code":"setup.browser.unsupported","exit_code":3,"artifact":{"name":null,"size":null,"digests":[]},"signer":null,"timestamps":[],"checks":[{"question":"same-file","outcome":"not-checked","answer":"This browser cannot run the check."},{"question":"who-signed","outcome":"not-checked","answer":"Not checked."},{"question":"when-signed","outcome":"not-checked","answer":"Not checked."},{"question":"still-trusted","outcome":"not-checked","answer":"Not checked."},{"question":"publicly-logged","outcome":"not-checked","answer":"Not checked."}],"findings":[{"code":"setup.browser.unsupported","class":"set-up","exit_code":3,"title":"This browser cannot run the check.","subject":null,"expected":null,"found":null,"clause":"docs/javascript.md","remedy":"Use another browser, with WebAssembly turned on, or check the file with `countersign verify`."}],"checked_at":"1970-01-01T00:00:00Z"},
};

/** How much of each kind of input is taken, in bytes. */
export const limits = {
  bundle: 8388608,
  trust: 4194304,
  policy: 1048576,
  crl: 33554432,
  ocsp: 262144,
  publicKey: 65536,
  content: 134217728,
} as const;

/** The hash algorithms that may prove something, and how many hexadecimal digits a digest by each has. */
export const hexLengths: Readonly<Record<string, number>> = {
  sha256: 64,
  sha384: 96,
  sha512: 128,
};
