/** The same corpus, the same reports: native (expected-report.json) and WebAssembly, byte for byte. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetCrls, verify } from "@countersign/verify";
import { allCases } from "./corpus.js";

test("every case of the corpus leads to the report that the native core makes", async () => {
  const cases = allCases();
  assert.ok(cases.length > 300, `only ${cases.length} cases: run countersign-corpus`);
  const verdicts = new Map<string, number>();
  for (const each of cases) {
    // What one case knows, the next one does not.
    await forgetCrls();
    const report = await verify(each.artifact, each.options);
    assert.equal(JSON.stringify(report), each.text("expected-report.json"), each.folderName);
    verdicts.set(report.verdict, (verdicts.get(report.verdict) ?? 0) + 1);
  }
  // A corpus of one kind would prove little.
  for (const verdict of ["verified", "rejected", "not-checked"]) {
    assert.ok((verdicts.get(verdict) ?? 0) > 20, `few are ${verdict}: ${verdicts.get(verdict)}`);
  }
});
