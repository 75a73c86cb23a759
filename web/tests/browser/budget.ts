/** What a reader downloads before the first check, as a server that compresses sends it. */

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { distFolder } from "./setting.js";
import type { Stand } from "./stand.js";

/** Page, scripts, style and worker; with results for several files and a form for own trust files. */
const PAGE_BYTES = 40 * 1000;
/** With the WebAssembly module, which has a budget of its own besides (xtask/src/wasm.rs). */
const TOGETHER_BYTES = 300 * 1000;
const MODULE = /\.wasm$/;

export function budgetTests(stand: Stand): void {
  if (stand.name !== "chromium") return;
  test("page and module weigh less than 300 KB together", async (context) => {
    const folder = join(distFolder, "page");
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    let [page, module] = [0, 0];
    for (const file of files) {
      const content = await readFile(join(file.parentPath, file.name));
      const { length } = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
      if (MODULE.test(file.name)) module += length;
      else page += length;
    }
    context.diagnostic(`page ${page}, module ${module} bytes of brotli`);
    assert.ok(module > 0, "the module is among the files");
    assert.ok(page < PAGE_BYTES, `${page} bytes`);
    assert.ok(page + module < TOGETHER_BYTES, `${page + module} bytes`);
  });
}
