/**
 * Where a verification runs: in a page a dedicated worker, shared by all; in workers and Node right here. Where a page
 * may have no worker (an old policy, file://) it runs in the page's own thread, in pieces.
 */

import { check, type CheckListener, type CheckRequest, reportWithoutCore } from "./check.js";
import { loadModule } from "./engine.js";
import type { FromWorker, ToWorker } from "./messages.js";
import type { Report } from "./report.js";

interface Pending {
  module: WebAssembly.Module;
  request: CheckRequest;
  listener: CheckListener;
  resolve: (report: Report | PromiseLike<Report>) => void;
  reject: (reason: unknown) => void;
}

type WorkerMaker = () => Worker;

/** For so long a worker may do something else before it answers that a check is given up. */
const DEAF_MILLISECONDS = 1_000;

let makeWorker: WorkerMaker = ownWorker;
let shared: Promise<WorkerLine | undefined> | undefined;

/** Makes the worker in another way: inlined in a page, say. */
export function setWorker(maker: WorkerMaker): void {
  makeWorker = maker;
  shared = undefined;
}

/** Loads and compiles ahead of the first verification. */
export async function warmUp(): Promise<void> {
  await Promise.all([loadModule(), inPage() ? workerLine() : undefined]);
}

/** Runs it where it belongs. Rejects with the signal's reason and nothing else. */
export async function run(request: CheckRequest, listener: CheckListener): Promise<Report> {
  if (!inPage()) return check(loadModule, request, listener);
  // It begins while the module is loaded.
  void workerLine();
  let module: WebAssembly.Module;
  try {
    listener.onStep({ step: "load", state: "begun" });
    module = await loadModule();
    listener.onStep({ step: "load", state: "done" });
  } catch (error) {
    listener.signal?.throwIfAborted();
    return reportWithoutCore(error, request, request.nowSeconds ?? Math.floor(Date.now() / 1000));
  }
  return runLoaded(module, request, listener);
}

async function runLoaded(module: WebAssembly.Module, request: CheckRequest, listener: CheckListener): Promise<Report> {
  const line = await workerLine();
  if (!line) return check(() => Promise.resolve(module), request, listener);
  return line.check(module, request, listener);
}

/** In a page long work would block people; a worker has nobody to block, and Node has no such worker. */
function inPage(): boolean {
  return typeof document !== "undefined" && typeof Worker === "function";
}

function workerLine(): Promise<WorkerLine | undefined> {
  return (shared ??= WorkerLine.open(() => (shared = undefined)));
}

/** Our worker's file. Trusted Types demand a policy of our own, which lets this one address through. */
function ownWorker(): Worker {
  const address = new URL("./worker.js", import.meta.url).href;
  return new Worker(trusted(address) as string, { type: "module", name: "countersign" });
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

function trusted(address: string): unknown {
  const { trustedTypes } = globalThis as unknown as { trustedTypes?: TrustedTypes };
  const createScriptURL = (url: string) => {
    if (url !== address) throw new TypeError("not our worker");
    return url;
  };
  return trustedTypes?.createPolicy("countersign", { createScriptURL }).createScriptURL(address) ?? address;
}

/** The line to a worker that answered. */
class WorkerLine {
  readonly #worker: Worker;
  readonly #closed: () => void;
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  private constructor(worker: Worker, closed: () => void) {
    this.#worker = worker;
    this.#closed = closed;
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => this.#hear(event.data));
    worker.addEventListener("error", (event) => {
      closed();
      this.#fail(event.message || "the worker broke down");
    });
  }

  /** Nothing where the page may not have one. */
  static open(closed: () => void): Promise<WorkerLine | undefined> {
    return new Promise((resolve) => {
      try {
        const worker = makeWorker();
        const ready = (event: MessageEvent<FromWorker>) => {
          if (event.data.kind !== "ready") return;
          worker.removeEventListener("message", ready);
          worker.removeEventListener("error", refused);
          resolve(new WorkerLine(worker, closed));
        };
        const refused = (event: Event) => {
          event.preventDefault();
          worker.terminate();
          resolve(undefined);
        };
        worker.addEventListener("message", ready);
        worker.addEventListener("error", refused);
      } catch {
        resolve(undefined);
      }
    });
  }

  check(module: WebAssembly.Module, request: CheckRequest, listener: CheckListener): Promise<Report> {
    const id = this.#next++;
    const { signal } = listener;
    return new Promise<Report>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let deaf: ReturnType<typeof setTimeout> | undefined;
      const abort = () => {
        this.#post({ kind: "abort", id });
        deaf = setTimeout(() => this.#end(), DEAF_MILLISECONDS);
      };
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener("abort", abort);
          clearTimeout(deaf);
          this.#pending.delete(id);
          how(value);
        };
      this.#pending.set(id, { module, request, listener, resolve: settle(resolve), reject: settle(reject) });
      signal?.addEventListener("abort", abort, { once: true });
      try {
        this.#post({ kind: "check", id, module, request });
      } catch {
        // Streams and modules that cannot travel are worked on here.
        settle(resolve)(check(() => Promise.resolve(module), request, listener));
      }
    });
  }

  #post(message: ToWorker): void {
    const stream =
      message.kind === "check" && message.request.artifact.kind === "stream" ? [message.request.artifact.stream] : [];
    this.#worker.postMessage(message, stream);
  }

  #hear(message: FromWorker): void {
    if (message.kind === "ready") return;
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    const { listener } = pending;
    switch (message.kind) {
      case "progress":
        if (!listener.signal?.aborted) listener.onProgress(message.progress);
        break;
      case "step":
        // That the module is there was told before it was sent.
        if (!listener.signal?.aborted && message.step.step !== "load") listener.onStep(message.step);
        break;
      case "report":
        pending.resolve(message.report);
        break;
      case "aborted":
        pending.reject(listener.signal?.reason);
    }
  }

  /**
   * Ends a worker that is so busy with a check that it cannot hear. All checks of a page share it, and each has a right to
   * be given up: what others asked is begun again in a new one.
   */
  #end(): void {
    this.#worker.terminate();
    this.#closed();
    for (const { module, request, listener, resolve, reject } of this.#pending.values()) {
      if (listener.signal?.aborted) reject(listener.signal.reason);
      else if (request.artifact.kind === "stream") resolve(reportOn("the worker was ended", request));
      else resolve(runLoaded(module, request, listener));
    }
  }

  #fail(words: string): void {
    for (const { request, resolve } of this.#pending.values()) resolve(reportOn(words, request));
  }
}

function reportOn(words: string, request: CheckRequest): Report {
  return reportWithoutCore(new Error(words), request, request.nowSeconds ?? Math.floor(Date.now() / 1000));
}
