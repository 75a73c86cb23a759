/** Saving while verifying: nothing stays that did not verify. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetCrls, hashAndWrite, planFor, verifyAndSave } from "@countersign/verify";
import { caseOf, FILE } from "./corpus.js";

const sized = caseOf("download-sized");

class Sink {
  written: number[] = [];
  ended: "closed" | "aborted" | undefined;
  readonly stream = new WritableStream<Uint8Array>({
    write: (piece) => void this.written.push(...piece),
    close: () => void (this.ended = "closed"),
    abort: () => void (this.ended = "aborted"),
  });
}

test("a download that verifies is written and closed", async () => {
  const sink = new Sink();
  const report = await verifyAndSave(new Blob([FILE]).stream(), sink.stream, sized.options);
  assert.equal(report.verdict, "verified");
  assert.deepEqual([sink.ended, Uint8Array.from(sink.written)], ["closed", FILE]);
});

test("a download that does not verify is aborted", async () => {
  for (const [file, change, code] of [
    [new Blob(["the published progran"]), {}, "content.mismatch"],
    [new Blob([FILE.subarray(0, 20)]), {}, "content.incomplete"],
    [new Blob([FILE]), { bundle: new Uint8Array() }, "bundle.empty"],
    [new Blob([FILE]), { bundle: "http://127.0.0.1:1/" }, "setup.service.unreachable"],
    [new Blob([FILE]), { revocation: { network: "none" } }, "revocation.unavailable"],
  ] as const) {
    await forgetCrls();
    const sink = new Sink();
    const report = await verifyAndSave(file.stream(), sink.stream, { ...sized.options, ...change });
    assert.deepEqual([report.code, sink.ended], [code, "aborted"]);
  }
});

test("a signed statement is saved as no file", async () => {
  const statement = caseOf("statement-as-file");
  const sink = new Sink();
  const report = await verifyAndSave((statement.artifact as Blob).stream(), sink.stream, statement.options);
  assert.deepEqual([report.code, sink.ended], ["signature.of-statement", "aborted"]);
});

test("a broken download, a full disk and an abort leave nothing", async () => {
  const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });
  const sink = new Sink();
  assert.equal((await verifyAndSave(broken, sink.stream, sized.options)).code, "setup.input.unreadable");
  assert.equal(sink.ended, "aborted");

  const full = new WritableStream<Uint8Array>({
    write: () => {
      throw new Error("the disk is full");
    },
  });
  await assert.rejects(verifyAndSave(new Blob([FILE]).stream(), full, sized.options), /full/);

  const aborted = new Sink();
  const signal = AbortSignal.abort();
  await assert.rejects(verifyAndSave(new Blob([FILE]).stream(), aborted.stream, { ...sized.options, signal }), {
    name: "AbortError",
  });
  assert.deepEqual([aborted.ended, aborted.written], ["aborted", []]);
});

test("hashAndWrite hashes what it writes and leaves the end to the caller", async () => {
  const plan = await planFor(sized.options);
  assert.deepEqual(plan, { algorithms: ["sha384"], size: FILE.length, content: false });
  const sink = new Sink();
  const hashed = await hashAndWrite(new Blob([FILE]).stream(), sink.stream, { algorithms: ["sha384", "sha256"] });
  assert.deepEqual(hashed.digests, [sized.digests.digests[1], sized.digests.digests[0]]);
  assert.deepEqual([sink.ended, hashed.size], [undefined, FILE.length]);
});
