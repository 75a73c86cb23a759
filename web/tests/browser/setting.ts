/** What the Rust side hands to the driver (tests/tests/browser.rs), and files that tests make of it. */

import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserName } from "./driver.js";

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: cargo nextest runs this`);
  return value;
}

/** Which browser. */
export const browserName = required("COUNTERSIGN_BROWSER") as BrowserName;
/** The served page, with a slash at its end. */
export const pageAddress = required("COUNTERSIGN_PAGE");
/** The release folder, which is served beside it. */
export const releaseFolder = required("COUNTERSIGN_RELEASE");
/** A folder with what an attacker sends: another app-2.1, its bundle, and all that would make it verify. */
export const attackFolder = required("COUNTERSIGN_ATTACK");
/** Origins that the page may ask besides its own. */
export const revocationOrigins = required("COUNTERSIGN_REVOCATION").split(" ");
/** A folder with CRLs. */
export const crlFolder = required("COUNTERSIGN_CRLS");
/** An OCSP request about a certificate that the revocation service knows, without a nonce. */
export const ocspRequestFile = required("COUNTERSIGN_OCSP_REQUEST");
/** web/dist. */
export const distFolder = required("COUNTERSIGN_DIST");
/** Where screenshots go. */
export const screenshotFolder = required("COUNTERSIGN_SCREENSHOTS");

/** A download of the release. */
export function download(name: string): string {
  return join(releaseFolder, name);
}

/** All that the attacker sends. */
export async function attackFiles(): Promise<string[]> {
  return (await readdir(attackFolder)).toSorted().map((name) => join(attackFolder, name));
}

/** Runs `use` with a folder that goes afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-browser-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file of that many bytes which takes no room. */
export async function sparseFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

/** A page beside the release that embeds elements. */
export async function writePage(
  name: string,
  body: string,
  head = "",
  script = "./verify-download.js",
): Promise<string> {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8">${head}<title>Embedding</title>
    <script type="module" src="${script}"></script></head><body><main><h1>Downloads</h1>${body}</main></body></html>`;
  await writeFile(join(releaseFolder, name), html);
  return new URL(name, pageAddress).href;
}
