/**
 * The WebAssembly module: loaded and compiled once, a fresh instance for each use.
 *
 * A panic in the core ends as a trap, after which an instance must not be called again. With an instance for each
 * verification a trap harms nobody else, and a large CRL's memory goes when the verification does.
 */

import { createGlue } from "./generated/glue.js";
import { wasmIntegrity } from "./generated/integrity.js";
import { askingBlocked, compilingBlocked, watchPolicy } from "./blocked.js";
import { Fault, wordsOf } from "./fault.js";
import { readFile } from "./node.js";

export interface Hasher {
  update(octets: Uint8Array): void;
  /** `sha384:HEX`, with commas between several. */
  finish(): string;
}

export interface Verification {
  setArtifact(name?: string, sizeBytes?: number): void;
  addDigest(digest: string): boolean;
  addContent(octets: Uint8Array): void;
  setBeginning(octets: Uint8Array): void;
  setOfferedAs(name: string): void;
  preferExactNames(): void;
  addCrl(crl: Uint8Array): void;
  addOcspResponse(response: Uint8Array): void;
  setKey(key: Uint8Array): void;
  plan(): string;
  revocationSources(): string;
  crlAt(index: number): Uint8Array | undefined;
  removeCrl(index: number): void;
  /** JSON text, or nothing when it is no CRL. */
  crlFacts(crl: Uint8Array, certificate: Uint8Array): string | undefined;
  report(): string;
}

/** What is used of what wasm/ exports; the compiler holds it against the types that wasm-bindgen gives. */
export interface Instance {
  Hasher: new (algorithms: string) => Hasher;
  Verification: new (bundle: Uint8Array, trust: Uint8Array, policy: Uint8Array, nowSeconds: number) => Verification;
  isCrl(file: Uint8Array): boolean;
  reportOfFault(
    code: string,
    about: string | undefined,
    expected: string | undefined,
    found: string | undefined,
    name: string | undefined,
    sizeBytes: number | undefined,
    nowSeconds: number,
  ): string;
}

/** Where the module comes from: a URL, its bytes, or the compiled module. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

let source: WasmSource = new URL("./countersign.wasm", import.meta.url);
let compiled: Promise<WebAssembly.Module> | undefined;

/** Takes the module from elsewhere: inlined in a page, or from another place. */
export function setWasm(from: WasmSource): void {
  source = from;
  compiled = undefined;
}

/** Compiles the module, once; a failure is forgotten, so that the next call tries again. */
export function loadModule(): Promise<WebAssembly.Module> {
  const loading = (compiled ??= compile(source));
  loading.catch(() => {
    if (compiled === loading) compiled = undefined;
  });
  return loading;
}

/** Runs `use` with a fresh instance, which nobody may keep. */
export async function withInstance<T>(
  module: WebAssembly.Module,
  use: (instance: Instance) => T | Promise<T>,
): Promise<T> {
  const glue = createGlue();
  try {
    glue.initSync({ module });
  } catch (error) {
    throw (await compilingBlocked(error)) ?? error;
  }
  try {
    return await use(glue);
  } finally {
    glue.abandon();
  }
}

async function compile(from: WasmSource): Promise<WebAssembly.Module> {
  // Locked-down browsers have none.
  if (typeof WebAssembly !== "object") throw unsupported("no WebAssembly");
  if (from instanceof WebAssembly.Module) return from;
  watchPolicy();
  try {
    return await compileFrom(from);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    const blocked = await compilingBlocked(error);
    if (blocked) throw blocked;
    // What was fetched are the right bytes, by their digest; what was handed in may be anything.
    throw typeof from === "string" || from instanceof URL ? unsupported(wordsOf(error)) : error;
  }
}

async function compileFrom(from: string | URL | BufferSource): Promise<WebAssembly.Module> {
  if (typeof from !== "string" && !(from instanceof URL)) return WebAssembly.compile(from);
  const url = new URL(from, globalThis.document?.baseURI ?? globalThis.location?.href);
  if (url.protocol === "file:") {
    const bytes = await readFile(url);
    if (bytes) return WebAssembly.compile(bytes as BufferSource);
  }
  const response = await fetchModule(url);
  // Servers that do not know the media type are many; what is served is bound by its digest.
  const streams = typeof WebAssembly.compileStreaming === "function";
  if (streams && response.headers.get("content-type")?.split(";")[0]?.trim() === "application/wasm") {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

async function fetchModule(url: URL): Promise<Response> {
  const ask = (integrity: RequestInit) => fetch(url, { ...integrity, credentials: "same-origin" });
  let response: Response;
  try {
    response = await ask({ integrity: wasmIntegrity });
  } catch (error) {
    const blocked = await askingBlocked(url);
    if (blocked) throw blocked;
    // Another file under this address, or a page that says that there is none, looks like a network that is down.
    const other = await ask({}).catch(() => undefined);
    if (other === undefined) throw unreachable(url, wordsOf(error));
    if (other.ok) {
      throw new Fault("setup.site.file-missing", url.href, `the module with ${wasmIntegrity}`, "another file");
    }
    response = other;
  }
  const { status } = response;
  if (status === 404 || status === 410) throw new Fault("setup.site.file-missing", url.href, null, `HTTP ${status}`);
  if (!response.ok) throw unreachable(url, `HTTP ${status}`);
  return response;
}

function unreachable(url: URL, found: string): Fault {
  return new Fault("setup.service.unreachable", url.href, null, found);
}

function unsupported(found: string): Fault {
  return new Fault("setup.browser.unsupported", null, "WebAssembly with SIMD", found);
}
