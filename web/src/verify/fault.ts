/** A fault that keeps verification from being made; it becomes a report and never reaches the caller as an error. */

import type { FindingCode } from "./findings.js";

export class Fault extends Error {
  constructor(
    readonly code: FindingCode,
    readonly about: string | null,
    readonly expected: string | null,
    readonly found: string | null,
  ) {
    super(found ?? code);
    this.name = "Fault";
  }
}

/** What an error says, in a line. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Whether somebody gave up; that is the one thing that is thrown. */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as { name?: unknown })?.name === "AbortError");
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}
