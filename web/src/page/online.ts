/** The page on a server: script, worker and WebAssembly are files of their own. */

import { useFiles } from "../element/engine.js";
import { startPage } from "./main.js";

useFiles();
startPage();
