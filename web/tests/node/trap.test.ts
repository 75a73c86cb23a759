/** A panic in the core ends as a trap: "not checked", and the next verification is as good as new. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setWasm, verify } from "@countersign/verify";
import binaryen from "binaryen";
import { caseOf, FILE } from "./corpus.js";

const genuine = caseOf("private-genuine");
const wasm = new Uint8Array(readFileSync(new URL(import.meta.resolve("@countersign/verify/countersign.wasm"))));

after(() => setWasm(wasm));

/** The module with one of its functions panicking. */
function panickingIn(name: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.readBinary(wasm);
  try {
    module.setFeatures(binaryen.Features.All);
    const inner = binaryen.getExportInfo(module.getExport(name)).value;
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(inner));
    module.removeFunction(inner);
    module.addFunction(inner, params, results, [], module.unreachable());
    // Written with what every browser takes, as it was.
    module.setFeatures(
      binaryen.Features.MVP |
        binaryen.Features.SIMD128 |
        binaryen.Features.BulkMemory |
        binaryen.Features.SignExt |
        binaryen.Features.MutableGlobals |
        binaryen.Features.NontrappingFPToInt |
        binaryen.Features.ReferenceTypes |
        binaryen.Features.Multivalue,
    );
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}

test("a trap in one verification is not checked, and harms none beside or after it", async () => {
  setWasm(panickingIn("verification_setBeginning"));
  const reading = verify(new Blob([FILE]), genuine.options);
  const beside = verify(genuine.digests, genuine.options);
  const trapped = await reading;
  assert.deepEqual([trapped.verdict, trapped.code, trapped.exit_code], ["not-checked", "internal.error", 70]);
  assert.equal(trapped.artifact.name, "app");
  assert.match(trapped.findings[0]?.found ?? "", /unreachable/);
  assert.equal((await beside).verdict, "verified");
  assert.equal((await verify(genuine.digests, genuine.options)).verdict, "verified");
});

test("a trap while judging is not checked", async () => {
  setWasm(panickingIn("verification_report"));
  const report = await verify(genuine.digests, genuine.options);
  assert.deepEqual([report.verdict, report.code], ["not-checked", "internal.error"]);
  setWasm(wasm);
  assert.equal((await verify(genuine.digests, genuine.options)).verdict, "verified");
});

test("a module that cannot be had or is none is not checked, and tried anew", async () => {
  setWasm("http://127.0.0.1:1/countersign.wasm");
  assert.equal((await verify(genuine.digests, genuine.options)).code, "setup.service.unreachable");
  setWasm(new Uint8Array([0, 1, 2, 3]));
  assert.equal((await verify(genuine.digests, genuine.options)).code, "internal.error");
  setWasm(wasm);
  assert.equal((await verify(genuine.digests, genuine.options)).verdict, "verified");
});
