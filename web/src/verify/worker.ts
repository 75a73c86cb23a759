/** The dedicated worker: hashing and verification away from the page's thread. Several at once, told apart by id. */

import { check } from "./check.js";
import type { FromWorker, ToWorker } from "./messages.js";

interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const running = new Map<number, AbortController>();

scope.addEventListener("message", ({ data }) => {
  if (data.kind === "abort") running.get(data.id)?.abort();
  else void run(data);
});

async function run({ id, module, request }: Extract<ToWorker, { kind: "check" }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const report = await check(() => Promise.resolve(module), request, {
      signal: controller.signal,
      onProgress: (progress) => scope.postMessage({ kind: "progress", id, progress }),
      onStep: (step) => scope.postMessage({ kind: "step", id, step }),
    });
    scope.postMessage({ kind: "report", id, report });
  } catch {
    scope.postMessage({ kind: "aborted", id });
  } finally {
    running.delete(id);
  }
}

scope.postMessage({ kind: "ready" });
