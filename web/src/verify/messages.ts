/** What the page and the worker say to each other. */

import type { CheckRequest } from "./check.js";
import type { Report } from "./report.js";
import type { Progress, Step } from "./types.js";

export type ToWorker =
  { kind: "check"; id: number; module: WebAssembly.Module; request: CheckRequest } | { kind: "abort"; id: number };

export type FromWorker =
  | { kind: "ready" }
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "step"; id: number; step: Step }
  | { kind: "report"; id: number; report: Report }
  | { kind: "aborted"; id: number };
