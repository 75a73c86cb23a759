/** Where the element's bundle has the WebAssembly module and the worker: files beside its script. */

import { setWasm, setWorker } from "../verify/index.js";
import wasmAddress from "../verify/generated/countersign.wasm?url";
import workerAddress from "../verify/worker.ts?worker&url";
import { allowWorker } from "./trusted-types.js";

/** Tells `@countersign/verify`; nothing is loaded yet. */
export function useFiles(): void {
  setWasm(new URL(wasmAddress, import.meta.url));
  const address = new URL(workerAddress, import.meta.url).href;
  const allowed = allowWorker(address);
  setWorker(() => new Worker(allowed, { type: "module", name: "countersign" }));
}
