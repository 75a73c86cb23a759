/** Defines the element and exports what a site may want besides: the one module that a site loads. */

import { useFiles } from "./engine.js";
import { defineElement } from "./verify-download.js";

export { VerifyDownload, type VerdictDetail } from "./verify-download.js";
export type { Resolver, Sources } from "./sources.js";
export { registerWords, type Words } from "../words/words.js";
export { english } from "../words/english.js";

useFiles();
defineElement();
