/** Hostile bundles, names and evidence: always a report, never "verified", never an error. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetCrls, verify } from "@countersign/verify";
import { caseOf, FILE } from "./corpus.js";

const genuine = caseOf("private-genuine");

/** A generator with a fixed seed (mulberry32), so that a failure can be had again. */
function seeded(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** JSON with white space taken out: another text of the same value is no forgery. */
function meaning(bytes: Uint8Array): string | undefined {
  try {
    return JSON.stringify(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}

test("a bundle with a byte changed is never another verified one", async () => {
  const next = seeded(20261123);
  const original = genuine.bytes("bundle.json");
  const artifact = new Blob([FILE]);
  const seen = new Set<string>();
  for (let round = 0; round < 300; round += 1) {
    const bundle = original.slice();
    bundle[next(bundle.length)] = next(256);
    const report = await verify(artifact, { ...genuine.options, bundle });
    seen.add(report.code ?? "verified");
    if (report.verdict === "verified" && meaning(bundle) !== meaning(original)) {
      // What may change is what nobody signed and nobody believes; the signer and the file stay.
      assert.equal(report.signer?.identity, "release@example.com");
      assert.equal(
        report.findings.every((finding) => finding.exit_code === 0),
        true,
      );
    }
    assert.notEqual(report.code, "internal.error", `round ${round}`);
  }
  assert.ok(seen.size > 5, `few outcomes: ${[...seen]}`);
});

test("noise of every size makes a report", async () => {
  const next = seeded(7);
  for (const length of [0, 1, 2, 100, 65_536, 1 << 20]) {
    const noise = Uint8Array.from({ length }, () => next(256));
    for (const change of [
      { bundle: noise },
      { trust: noise.subarray(0, 65_536) },
      { policy: noise.subarray(0, 65_536) },
    ]) {
      const report = await verify(new Blob([FILE]), { ...genuine.options, ...change });
      assert.equal(report.verdict, "not-checked");
      assert.notEqual(report.code, "internal.error");
    }
    await forgetCrls();
    const evidence = { network: "none", crls: [noise], ocspResponses: [noise] } as const;
    const report = await verify(new Blob([FILE]), { ...genuine.options, revocation: evidence });
    assert.deepEqual([report.verdict, report.code === "internal.error"], ["not-checked", false]);
  }
});

test("deep, repeated and huge JSON makes a report", async () => {
  for (const text of [
    "[".repeat(1 << 20),
    '{"a":'.repeat(100_000),
    `{${'"a":1,'.repeat(200_000)}"a":1}`,
    `{"mediaType":"${"x".repeat(7 << 20)}"}`,
  ]) {
    const report = await verify(new Blob([FILE]), { ...genuine.options, bundle: new TextEncoder().encode(text) });
    assert.equal(report.verdict, "not-checked");
    assert.notEqual(report.code, "internal.error");
    assert.ok(JSON.stringify(report).length < 20_000);
  }
});

test("a name that steers, lies or is huge is shown harmless and short", async () => {
  for (const name of [
    "<img src=x onerror=alert(1)>",
    "invoice\u202Efdp.exe",
    "a\u0000b\nc",
    "x".repeat(100_000),
    "\ud800",
    "",
  ]) {
    const report = await verify(new Blob([FILE]), { ...genuine.options, name });
    const shown = report.artifact.name ?? "";
    assert.ok(shown.length <= 201, `${shown.length}`);
    // oxlint-disable-next-line no-control-regex -- those are what is looked for
    assert.doesNotMatch(shown, /[\u0000-\u001f\u202a-\u202e]/);
  }
});

test("more evidence than is looked at is refused", async () => {
  const [crl] = genuine.crls;
  assert.ok(crl);
  const crls = Array.from({ length: 33 }, () => crl);
  const report = await verify(new Blob([FILE]), { ...genuine.options, revocation: { network: "none", crls } });
  assert.deepEqual([report.verdict, report.code], ["not-checked", "revocation.too-large"]);
});
