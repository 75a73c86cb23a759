/** What the page must say of each download of the release (tests/src/scenario/downloads.rs). */

export interface Expectation {
  readonly file: string;
  readonly state: string;
  readonly code: string | null;
  readonly says: RegExp;
  readonly role: "status" | "alert";
  /** Whether Firefox checks it too. */
  readonly everywhere: boolean;
}

export const expectations: readonly Expectation[] = [
  {
    file: "app-2.1",
    state: "verified",
    code: null,
    role: "status",
    everywhere: true,
    says: /This is the genuine App 2\.1, published by Example Software on \d+ \w+ \d{4}\.\s+This confirms who published it, not that it is free of bugs\./,
  },
  {
    file: "app-2.1-changed",
    state: "mismatch",
    code: "content.mismatch",
    role: "alert",
    everywhere: true,
    says: /Do not open this file\.\s+It differs from what Example Software published\.\s+Usually the download was damaged; rarely someone changed it\./,
  },
  {
    file: "app-2.1-short",
    state: "incomplete",
    code: "content.incomplete",
    role: "status",
    everywhere: true,
    says: /The download didn’t finish \(400 of 500 kB\)\.\s+Download again\./,
  },
  {
    file: "app-2.1-swapped",
    state: "mismatch",
    code: "content.other-file",
    role: "alert",
    everywhere: true,
    says: /Do not open this file\.\s+The signature beside it belongs to another file\./,
  },
  {
    file: "app-2.0",
    state: "verified",
    code: null,
    role: "status",
    everywhere: true,
    says: /This is the genuine App 2\.0/,
  },
  {
    file: "app-1.9",
    state: "verified",
    code: null,
    role: "status",
    everywhere: false,
    says: /genuine App 1\.9[^]*The signer's key was compromised after this file was signed/,
  },
  {
    file: "app-1.8",
    state: "revoked",
    code: "revocation.revoked",
    role: "alert",
    everywhere: true,
    says: /Do not open\.\s+Example Software no longer vouches for it \(since \d+ \w+ \d{4}: the signing key was stolen or lost\)\./,
  },
  {
    file: "app-2.1-stranger",
    state: "untrusted",
    code: "certificate.identity.unexpected",
    role: "alert",
    everywhere: true,
    says: /Signed, but not by Example Software\.\s+The signer is someone@else\.example/,
  },
  {
    file: "app-2.1-unknown",
    state: "untrusted",
    code: "certificate.unknown-issuer",
    role: "alert",
    everywhere: false,
    says: /Signed, but not by Example Software\./,
  },
  {
    file: "app-2.1-garbled",
    state: "not-checked",
    code: "bundle.truncated",
    role: "status",
    everywhere: true,
    says: /Not checked\. Do not open this file yet\./,
  },
  {
    file: "app-2.1-quiet",
    state: "not-checked",
    code: "revocation.unavailable",
    role: "status",
    everywhere: true,
    says: /Not checked\. Do not open this file yet\.\s+We got no answer from 127\.0\.0\.1:\d+/,
  },
  {
    file: "notes.txt",
    state: "verified",
    code: null,
    role: "status",
    everywhere: false,
    says: /This is the genuine notes\.txt/,
  },
];
