/**
 * The page's worker as another entry of the page's own build: what both need is one file that both load, instead of
 * twice the same code in two. The page asks for that file before its script does, so that it is bound to its digest
 * like the script (`secured-page.ts`).
 */

import type { Plugin } from "vite";

const ASKED = /\/verify\/worker\.ts\?worker&url$/;
const ADDRESS = "\0shared-worker";

export function sharedWorker(): Plugin {
  return {
    name: "shared-worker",
    enforce: "pre",
    resolveId(source) {
      return ASKED.test(source) ? ADDRESS : null;
    },
    load(id) {
      if (id !== ADDRESS) return null;
      const reference = this.emitFile({ type: "chunk", id: "/src/verify/worker.ts", name: "worker" });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}
