/**
 * What the page's Content-Security-Policy keeps from being done. Browsers say so by an event and not by the error, which
 * looks like a network that is down; the event may come after the error.
 */

import { Fault } from "./fault.js";

interface Violation {
  directive: string;
  /** An address, or a word such as `wasm-eval`. */
  blocked: string;
}

const MOST_VIOLATIONS = 100;
const seen: Violation[] = [];
let isListening = false;

/** Listens from now on; before anything is done that a policy may keep from being done. */
export function watchPolicy(): void {
  if (isListening || !hasEvents()) return;
  isListening = true;
  globalThis.addEventListener("securitypolicyviolation", (event) => {
    const { effectiveDirective, blockedURI, disposition } = event;
    if (disposition === "report" || seen.length >= MOST_VIOLATIONS) return;
    seen.push({ directive: effectiveDirective, blocked: blockedURI });
  });
}

/** The fault of a policy that keeps WebAssembly from being compiled; nothing for other errors. */
export async function compilingBlocked(error: unknown): Promise<Fault | undefined> {
  const words = error instanceof Error ? error.message : "";
  const isSaid = /unsafe-eval|wasm-eval|content.security.policy|blocked by CSP/i.test(words);
  if (!isSaid && !(await happened(({ blocked }) => blocked === "wasm-eval"))) return undefined;
  return new Fault("setup.site.blocked", null, "Content-Security-Policy: script-src with 'wasm-unsafe-eval'", words);
}

/** The fault of a policy that keeps an address from being asked; nothing for other errors. */
export async function askingBlocked(url: URL): Promise<Fault | undefined> {
  const isAbout = (blocked: string): boolean => blocked === url.origin || url.href.startsWith(blocked);
  if (!(await happened(({ directive, blocked }) => directive === "connect-src" && isAbout(blocked)))) return undefined;
  const source = url.origin === globalThis.location?.origin ? "'self'" : url.origin;
  return new Fault(
    "setup.site.blocked",
    url.href,
    `Content-Security-Policy: connect-src with ${source}`,
    "connect-src blocks it",
  );
}

async function happened(matches: (violation: Violation) => boolean): Promise<boolean> {
  if (!isListening) return false;
  for (let turn = 0; turn < 5; turn += 1) {
    if (seen.some(matches)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** Node has neither policies nor events of them. */
function hasEvents(): boolean {
  return typeof SecurityPolicyViolationEvent === "function" && typeof globalThis.addEventListener === "function";
}
