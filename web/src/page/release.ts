/** `releases.json`: what a page offers for download. docs/embedding.md describes it for publishers. */

import {
  POLICY_NAME,
  type Sources,
  TRUST_NAME,
  bundleBeside,
  fileName,
  linkable,
  withoutCount,
} from "../element/sources.js";

/** One download. */
export interface Download {
  readonly address: URL;
  /** The file's name, under which it was signed. */
  readonly fileName: string;
  /** A remark of the publisher's, shown beside it. */
  readonly note: string | undefined;
  readonly size: number | undefined;
  /** `sha256:HEX` or `sha384:HEX`, to know a renamed file by; the verdict never rests on it. */
  readonly digest: string | undefined;
  readonly sources: Sources;
}

export interface Release {
  readonly title: string | undefined;
  readonly downloads: readonly Download[];
}

/** Enough for any release, and little enough to lay out. */
const MOST_DOWNLOADS = 1000;

/** A list that cannot be read; the message names the place. */
export class ReleaseError extends Error {}

/**
 * Reads a list; addresses are relative to `base`.
 *
 * @throws {ReleaseError} when it is no such list.
 */
export function decodeRelease(value: unknown, base: URL): Release {
  const list = object(value, "releases.json");
  if (list["version"] !== 1) throw new ReleaseError("version: 1 was expected");
  const files = list["files"];
  if (!Array.isArray(files)) throw new ReleaseError("files: a list was expected");
  if (files.length > MOST_DOWNLOADS) throw new ReleaseError(`files: more than ${MOST_DOWNLOADS}`);
  const downloads = files.map((file, index) => decodeDownload(file, `files[${index}]`, list, base));
  return { title: text(list, "title", "releases.json"), downloads };
}

function decodeDownload(value: unknown, place: string, list: Readonly<Record<string, unknown>>, base: URL): Download {
  const entry = object(value, place);
  const file = text(entry, "file", place);
  if (file === undefined) throw new ReleaseError(`${place}.file: missing`);
  const address = at(file, base, `${place}.file`);
  const own = (key: string): string | undefined => text(entry, key, place) ?? text(list, key, key);
  const bundle = text(entry, "bundle", place);
  const name = fileName(address);
  const size = entry["size"];
  if (size !== undefined && (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)) {
    throw new ReleaseError(`${place}.size: a number of bytes was expected`);
  }
  return {
    address,
    fileName: name,
    note: text(entry, "note", place),
    size,
    digest: text(entry, "digest", place),
    sources: {
      bundle: bundle === undefined ? bundleBeside(address) : at(bundle, base, `${place}.bundle`),
      trust: at(own("trust") ?? TRUST_NAME, base, "trust"),
      policy: at(own("policy") ?? POLICY_NAME, base, "policy"),
      crls: (texts(entry, "revocation", place) ?? texts(list, "revocation", "list") ?? []).map((crl) =>
        at(crl, base, "revocation"),
      ),
      expected: name,
      labels: { name: text(entry, "name", place), version: text(entry, "version", place), publisher: own("publisher") },
    },
  };
}

function object(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ReleaseError(`${place}: an object was expected`);
  }
  return value as Record<string, unknown>;
}

function text(from: Readonly<Record<string, unknown>>, key: string, place: string): string | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new ReleaseError(`${place}.${key}: text was expected`);
  return value;
}

function texts(from: Readonly<Record<string, unknown>>, key: string, place: string): string[] | undefined {
  const value = from[key];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) {
    throw new ReleaseError(`${place}.${key}: a list of addresses was expected`);
  }
  return value as string[];
}

function at(address: string, base: URL, place: string): URL {
  const found = linkable(address, base.href);
  if (found === null) throw new ReleaseError(`${place}: an http(s) address was expected`);
  return found;
}

/** The downloads that a chosen file may be: by name, else by size. */
export function candidates(release: Release, file: { name: string; size: number }): Download[] {
  const names = [file.name, withoutCount(file.name)];
  for (const name of names) {
    const named = release.downloads.filter((download) => download.fileName === name);
    if (named.length > 0) return named;
  }
  return release.downloads.filter((download) => download.size === file.size);
}
