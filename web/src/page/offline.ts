/** The page as one file on a disk: worker and WebAssembly come as text within the script. */

import { setWasm, setWorker } from "../verify/index.js";
import wasmData from "../verify/generated/countersign.wasm?url";
import workerCode from "../../dist/worker/worker.js?raw";
import { allowWorker } from "../element/trusted-types.js";
import { startPage } from "./main.js";

const base64 = wasmData.slice(wasmData.indexOf(",") + 1);
setWasm(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));

const workerAddress = URL.createObjectURL(new Blob([workerCode], { type: "text/javascript" }));
const allowed = allowWorker(workerAddress);
setWorker(() => new Worker(allowed, { name: "countersign" }));

startPage();
