/** What a reader downloads before the first check, as a server that compresses sends it. */

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { distFolder } from "./setting.js";
import type { Stand } from "./stand.js";

/** Page, script, style and worker. */
const PAGE_BYTES = 36 * 1024;
/** The WebAssembly module has a budget of its own, which xtask keeps (xtask/src/wasm.rs). */
const MODULE = /\.wasm$/;

export function budgetTests(stand: Stand): void {
  if (stand.name !== "chromium") return;
  test("the page weighs little beside the module", async (context) => {
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
  });
}
