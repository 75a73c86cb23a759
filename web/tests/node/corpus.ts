/** The corpus that `countersign-corpus` writes (tests/src/corpus.rs), read for these tests. */

import { readdirSync, readFileSync } from "node:fs";
import type { VerifyOptions } from "@countersign/verify";

const FOLDER = new URL(process.env.COUNTERSIGN_CORPUS ?? "../../../target/corpus/", import.meta.url);

/** The file that all private cases are about. */
export const FILE = new TextEncoder().encode("the published program");

interface Description {
  artifact: { name: string | null; size: number | null; digests: string[]; content: string | null };
  now: number;
  crls: string[];
  ocsp: string[];
  key: string | null;
}

export class Case {
  readonly #folder: URL;
  readonly #description: Description;

  constructor(readonly folderName: string) {
    this.#folder = new URL(`${folderName}/`, FOLDER);
    this.#description = JSON.parse(this.text("case.json")) as Description;
  }

  bytes(name: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(readFileSync(new URL(name, this.#folder)));
  }

  text(name: string): string {
    return readFileSync(new URL(name, this.#folder), "utf8");
  }

  url(name: string): URL {
    return new URL(name, this.#folder);
  }

  json(name: string): object {
    return JSON.parse(this.text(name)) as object;
  }

  get digests(): { digests: string[]; size?: number } {
    const { digests, size } = this.#description.artifact;
    return size === null ? { digests } : { digests, size };
  }

  /** The file itself where its signature is over that, else its digests. */
  get artifact(): Blob | { digests: string[]; size?: number } {
    const { content } = this.#description.artifact;
    return content === null ? this.digests : new Blob([this.bytes(content)]);
  }

  get crls(): Uint8Array[] {
    return this.#description.crls.map((name) => this.bytes(name));
  }

  get ocspResponses(): Uint8Array[] {
    return this.#description.ocsp.map((name) => this.bytes(name));
  }

  get now(): Date {
    return new Date(this.#description.now * 1000);
  }

  /** Everything that the case has, and no network. */
  get options(): VerifyOptions {
    const { artifact, key } = this.#description;
    return {
      bundle: this.bytes("bundle.json"),
      trust: this.bytes("trusted_root.json"),
      policy: this.bytes("policy.json"),
      revocation: { network: "none", crls: this.crls, ocspResponses: this.ocspResponses },
      now: this.now,
      ...(artifact.name === null ? {} : { name: artifact.name }),
      ...(key === null ? {} : { publicKey: this.bytes(key) }),
    };
  }
}

export function allCases(): Case[] {
  return readdirSync(FOLDER)
    .toSorted()
    .map((name) => new Case(name));
}

/** The case of that name. */
export function caseOf(name: string): Case {
  const found = readdirSync(FOLDER).find((folder) => folder.replace(/^\d+-/, "") === name);
  if (found === undefined) throw new Error(`the corpus has no ${name}`);
  return new Case(found);
}
