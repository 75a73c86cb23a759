/** `verify`: every kind of source and artifact, misuse, abort, and what cannot be had. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { forgetCrls, type Progress, type Report, type Step, verify, type VerifyOptions } from "@countersign/verify";
import { caseOf, FILE } from "./corpus.js";

const genuine = caseOf("private-genuine");
const sized = caseOf("download-sized");
let server: Server;
let base: string;

before(async () => {
  server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? "";
    if (name === "broken") return void response.writeHead(500).end();
    if (name === "endless") {
      return pour(
        () => response.write(new Uint8Array(1 << 20), () => {}),
        () => response.destroyed,
      );
    }
    try {
      response.end(genuine.bytes(name));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

/** Writes until nobody listens. */
function pour(write: () => void, stopped: () => boolean): void {
  if (stopped()) return;
  write();
  setImmediate(() => pour(write, stopped));
}

function file(): Blob {
  return new Blob([FILE]);
}

function streamOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
}

test("every kind of source gives the same report", async () => {
  const expected = await verify(file(), genuine.options);
  assert.equal(expected.verdict, "verified");
  const kinds: Record<string, (name: string) => VerifyOptions["bundle"]> = {
    bytes: (name) => genuine.bytes(name),
    "a part of a larger buffer": (name) => {
      const bytes = genuine.bytes(name);
      const larger = new Uint8Array(bytes.length + 20);
      larger.set(bytes, 7);
      return larger.subarray(7, 7 + bytes.length);
    },
    "an ArrayBuffer": (name) => genuine.bytes(name).buffer,
    "a Blob": (name) => new Blob([genuine.bytes(name)]),
    "an object": (name) => genuine.json(name),
    "a URL as text": (name) => `${base}${name}`,
    "a URL": (name) => new URL(name, base),
    "a file: URL": (name) => genuine.url(name),
  };
  for (const [kind, source] of Object.entries(kinds)) {
    const report = await verify(file(), {
      ...genuine.options,
      bundle: source("bundle.json"),
      trust: source("trusted_root.json"),
      policy: source("policy.json"),
    });
    assert.deepEqual(report, expected, kind);
  }
});

test("CRLs may be PEM, bytes or URLs", async () => {
  const [crl] = genuine.crls;
  assert.ok(crl);
  const base64 = Buffer.from(crl).toString("base64").replace(/.{64}/g, "$&\n");
  const pem = new TextEncoder().encode(`-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`);
  for (const source of [crl, pem, new Blob([pem]), genuine.url("crl-0.der"), `${base}crl-0.der`]) {
    const report = await verify(file(), { ...genuine.options, revocation: { network: "none", crls: [source] } });
    assert.equal(report.verdict, "verified");
  }
  await forgetCrls();
  const none = await verify(file(), { ...genuine.options, revocation: { network: "none" } });
  assert.deepEqual([none.verdict, none.code], ["not-checked", "revocation.unavailable"]);
});

/** The forms of PEM that people have; the command line reads the same (cli/tests/behaviour/pem.rs). */
function forms(label: string, ders: readonly Uint8Array[]): Record<string, string> {
  const of = (width: RegExp, end: string) =>
    ders.map((der) => {
      const lines = Buffer.from(der).toString("base64").replace(width, `$&${end}`);
      return `-----BEGIN ${label}-----${end}${lines}${end}-----END ${label}-----${end}`;
    });
  return {
    "64": of(/.{64}/g, "\n").join(""),
    "76, trailing blanks": of(/.{76}/g, "  \r\n").join(""),
    "one line": of(/$^/g, "\n").join(""),
    mark: `\ufeff${of(/.{64}/g, "\n").join("")}`,
    text: `Certificate Revocation List:\n    Version 2\n${of(/.{48}/g, "\n").join("subject=CN = x\n")}# end\n`,
  };
}

test("every block of a PEM file counts, whatever its lines", async () => {
  const revoked = caseOf("crl-revoked-before-superseded");
  const [crl] = revoked.crls;
  const [other] = genuine.crls;
  assert.ok(crl && other);
  const expected = await verify(file(), { ...revoked.options, revocation: { network: "none", crls: [other, crl] } });
  for (const [form, pem] of Object.entries(forms("X509 CRL", [other, crl]))) {
    const crls = [new TextEncoder().encode(pem)];
    const report = await verify(file(), { ...revoked.options, revocation: { network: "none", crls } });
    assert.deepEqual([report.verdict, report.code], [expected.verdict, expected.code], form);
  }
  const managed = caseOf("key-genuine");
  for (const [form, pem] of Object.entries(forms("PUBLIC KEY", [managed.bytes("key.der")]))) {
    assert.equal((await verify(file(), { ...managed.options, publicKey: new Blob([pem]) })).verdict, "verified", form);
  }
});

test("a PEM file that cannot be used is told with its block", async () => {
  const [crl] = genuine.crls;
  assert.ok(crl);
  const good = forms("X509 CRL", [crl])["64"] ?? "";
  const cases: [string, string][] = [
    [`${good}${good.replace("\nM", "\n!")}`, "block 2 of CRL"],
    [`${good}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`, "block 2 of CRL"],
    [Buffer.from(crl).toString("base64"), "CRL"],
  ];
  for (const [text, subject] of cases) {
    const crls = [new TextEncoder().encode(text)];
    const report = await verify(file(), { ...genuine.options, revocation: { network: "none", crls } });
    assert.deepEqual([report.verdict, report.code], ["not-checked", "setup.input.malformed"]);
    assert.equal(report.findings[0]?.subject, subject);
  }
});

test("a Blob, a stream and known digests of the file give the same verdict", async () => {
  const [sha256 = ""] = genuine.digests.digests;
  const artifacts = {
    blob: file(),
    stream: streamOf(FILE.subarray(0, 5), new Uint8Array(), FILE.subarray(5)),
    "byte stream": file().stream(),
    list: { digests: genuine.digests.digests },
    object: { digests: { sha256: sha256.slice("sha256:".length) } },
  };
  for (const [kind, artifact] of Object.entries(artifacts)) {
    assert.equal((await verify(artifact, genuine.options)).verdict, "verified", kind);
  }
});

test("a file brings its own name, and a name given goes before it", async () => {
  const { name: _, ...unnamed } = sized.options;
  const named = new File([FILE], "other");
  assert.equal(
    (await verify(named, unnamed)).findings.some((each) => each.code === "content.name-differs"),
    true,
  );
  assert.equal((await verify(named, sized.options)).artifact.name, "app");
});

test("a file's address is read in Node, and brings the file's name and size", async () => {
  const folder = await mkdtemp(join(tmpdir(), "countersign-"));
  const address = (name: string) => pathToFileURL(join(folder, name));
  const { name: _, ...unnamed } = sized.options;
  try {
    await writeFile(address("app"), FILE);
    await writeFile(address("app 1 %.tar"), FILE);
    await writeFile(address("short"), FILE.slice(0, 3));
    const report = await verify(address("app"), unnamed);
    assert.deepEqual([report.code, report.artifact.name, report.artifact.size], [null, "app", FILE.length]);
    assert.equal((await verify(address("app 1 %.tar"), unnamed)).artifact.name, "app 1 %.tar");
    assert.equal((await verify(address("short"), sized.options)).code, "content.incomplete");
    const missing = await verify(address("missing"), unnamed);
    assert.deepEqual([missing.code, missing.artifact.name], ["setup.input.unreadable", "missing"]);
    assert.equal((await verify(pathToFileURL(folder), unnamed)).code, "setup.input.unreadable");
    const signal = AbortSignal.abort();
    await assert.rejects(verify(address("app"), { ...unnamed, signal }), { name: "AbortError" });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file under another name is rejected where exact names are asked for", async () => {
  const { name: _, ...unnamed } = sized.options;
  const codeOf = async (name: string, names?: "noted" | "exact") =>
    (await verify(new File([FILE], name), { ...unnamed, ...(names && { names }) })).code;
  assert.equal(await codeOf("other", "exact"), "content.name.other");
  assert.equal(await codeOf("app", "exact"), null);
  assert.equal(await codeOf("app (1)", "exact"), null);
  assert.equal(await codeOf("other", "noted"), null);
  assert.equal(await codeOf("other"), null);
  await assert.rejects(verify(file(), { ...sized.options, names: "same" as "exact" }), TypeError);
  const offered = async (name: string, offeredAs: string) => verify(new File([FILE], name), { ...unnamed, offeredAs });
  const isTold = ({ findings }: Report) => findings.some((each) => each.code === "content.name-differs");
  assert.equal(isTold(await offered("app", "app")), false);
  const renamed = await offered("other", "app");
  assert.deepEqual([renamed.code, renamed.artifact.name], [null, "other"]);
  assert.ok(isTold(renamed));
  for (const name of ["app", "other"]) assert.equal((await offered(name, "other")).code, "content.name.other");
});

test("a signed statement is no file, and a digest alone says that it cannot tell", async () => {
  const statement = caseOf("statement-as-file");
  const content = statement.artifact as Blob;
  const beginning = new Uint8Array(await content.arrayBuffer()).subarray(0, 7);
  for (const artifact of [content, content.stream(), { ...statement.digests, beginning }]) {
    assert.equal((await verify(artifact, statement.options)).code, "signature.of-statement");
  }
  const report = await verify(statement.digests, statement.options);
  assert.equal(report.verdict, "verified");
  assert.ok(report.findings.some((each) => each.code === "signature.kind-unknown"));
});

test("the fastest digest that the bundle binds is computed, and no other", async () => {
  const report = await verify(file(), sized.options);
  assert.deepEqual([report.verdict, report.artifact.digests.length], ["verified", 1]);
  assert.match(report.artifact.digests[0] ?? "", /^sha384:/);
});

test("a file that is too short is told so without being read", async () => {
  const short = file().slice(0, 20);
  short.stream = () => assert.fail("it was read");
  const report = await verify(short, sized.options);
  assert.deepEqual([report.code, report.artifact.digests], ["content.incomplete", []]);
});

test("a bundle that cannot be read is told without reading the file", async () => {
  const unread = file();
  unread.stream = () => assert.fail("it was read");
  for (const [change, code] of [
    [{ bundle: new Uint8Array() }, "bundle.empty"],
    [{ bundle: { mediaType: "x" } }, "bundle.malformed"],
    [{ trust: {} }, "setup.trust-root.malformed"],
    [{ policy: { version: 1, signers: [] } }, "setup.policy.malformed"],
  ] as const) {
    const report = await verify(unread, { ...genuine.options, ...change });
    assert.deepEqual([report.code, report.verdict], [code, "not-checked"]);
  }
});

test("another file is rejected", async () => {
  const report = await verify(new Blob(["another file"]), genuine.options);
  assert.deepEqual([report.verdict, report.code], ["rejected", "content.mismatch"]);
});

test("what cannot be reached is not checked, and no error", async () => {
  const closed = await closedPort();
  for (const [change, code] of [
    [{ bundle: `${base}nothing.json` }, "bundle.not-found"],
    [{ bundle: genuine.url("nothing.json") }, "bundle.not-found"],
    [{ bundle: `${base}broken` }, "setup.service.unreachable"],
    [{ bundle: closed }, "setup.service.unreachable"],
    [{ bundle: "data:application/json,%7B" }, "bundle.truncated"],
    [{ bundle: "nonsense:x" }, "setup.service.unreachable"],
    [{ trust: `${base}nothing.json` }, "setup.site.file-missing"],
    [{ policy: closed }, "setup.service.unreachable"],
    [{ bundle: new Blob([new Uint8Array(9 << 20)]) }, "bundle.too-large"],
    [{ bundle: `${base}endless` }, "bundle.too-large"],
    [{ policy: new Uint8Array(2 << 20) }, "setup.input.too-large"],
  ] as const) {
    const steps: Step[] = [];
    const report = await verify(file(), { ...genuine.options, ...change, onStep: (step) => steps.push(step) });
    assert.deepEqual([report.verdict, report.code], ["not-checked", code], JSON.stringify(change).slice(0, 100));
    assert.equal(report.artifact.name, "app");
    const failed = steps.some((step) => step.state === "failed" && step.reason);
    assert.ok(failed || code === "bundle.truncated", "it says what failed");
  }
});

async function closedPort(): Promise<string> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return `http://127.0.0.1:${port}/bundle.json`;
}

test("a file that breaks while it is read is not checked", async () => {
  const breaking = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error("the disk is gone"));
    },
  });
  const report = await verify(breaking, genuine.options);
  assert.deepEqual([report.code, report.findings[0]?.found], ["setup.input.unreadable", "the disk is gone"]);
  const texts = new ReadableStream({ start: (controller) => controller.enqueue("text") });
  assert.equal((await verify(texts, genuine.options)).code, "setup.input.unreadable");
});

test("misuse throws, and nothing else does", async () => {
  const { options } = genuine;
  const locked = file().stream();
  locked.getReader();
  const wrong: Array<[unknown, unknown]> = [
    [undefined, options],
    ["a file name", options],
    [new URL("https://example.com/app"), options],
    [new URL("file:///%ff"), { ...options, name: undefined }],
    [locked, options],
    [{ digests: ["sha256:00"] }, options],
    [{ digests: ["md5:00"] }, options],
    [{ digests: "sha256" }, options],
    [{ digests: [], size: -1 }, options],
    [file(), undefined],
    [file(), {}],
    [file(), { ...options, bundle: 7 }],
    [file(), { ...options, bundle: null }],
    [file(), { ...options, trust: undefined }],
    [file(), { ...options, policy: "not a whole URL" }],
    [file(), { ...options, now: 1_800_000_000 }],
    [file(), { ...options, now: new Date(Number.NaN) }],
    [file(), { ...options, name: 7 }],
    [file(), { ...options, signal: {} }],
    [file(), { ...options, onProgress: true }],
    [file(), { ...options, revocation: { network: "yes" } }],
    [file(), { ...options, revocation: { crls: [7] } }],
  ];
  for (const [index, [artifact, given]] of wrong.entries()) {
    await assert.rejects(verify(artifact as Blob, given as VerifyOptions), TypeError, `number ${index}`);
  }
});

test("an abort rejects with its reason, before and while reading, and the stream is let go", async () => {
  const early = AbortSignal.abort();
  await assert.rejects(verify(file(), { ...genuine.options, signal: early }), { name: "AbortError" });

  const controller = new AbortController();
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (stream) => stream.enqueue(new Uint8Array(1 << 20)),
    cancel: () => void (cancelled = true),
  });
  const seen: Progress[] = [];
  const verification = verify(endless, {
    ...genuine.options,
    signal: controller.signal,
    onProgress: (progress) => {
      seen.push(progress);
      if (seen.length === 2) controller.abort();
    },
  });
  await assert.rejects(verification, { name: "AbortError" });
  assert.ok(cancelled);

  const reason = new Error("enough");
  const waiting = new AbortController();
  const stuck = verify(new ReadableStream(), { ...genuine.options, signal: waiting.signal });
  setImmediate(() => waiting.abort(reason));
  await assert.rejects(stuck, reason);
});

test("progress rises to the end, with rate and time left", async () => {
  const size = 200 << 20;
  let left = size;
  const zeros = new ReadableStream({
    type: "bytes",
    pull(controller: ReadableByteStreamController) {
      if (left === 0) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const view = controller.byobRequest?.view as Uint8Array;
      const count = Math.min(view.byteLength, left);
      left -= count;
      controller.byobRequest?.respond(count);
    },
  });
  const seen: Progress[] = [];
  const report = await verify(zeros, { ...genuine.options, size, onProgress: (progress) => seen.push(progress) });
  assert.deepEqual([report.code, report.artifact.size], ["content.mismatch", size]);
  assert.ok(seen.length >= 2);
  assert.deepEqual(
    { ...seen.at(-1), bytesPerSecond: 0 },
    { done: size, total: size, bytesPerSecond: 0, secondsLeft: 0 },
  );
  for (const [index, progress] of seen.entries()) {
    assert.ok(progress.done > (seen[index - 1]?.done ?? 0) || progress.done === size);
    assert.ok(progress.bytesPerSecond > 0);
  }
});

test("a listener's own mistake does not touch the verdict", async () => {
  const told = console.error;
  const heard: unknown[] = [];
  console.error = (error: unknown) => void heard.push(error);
  try {
    const onStep = () => {
      throw new Error("the page's mistake");
    };
    assert.equal((await verify(file(), { ...genuine.options, onStep })).verdict, "verified");
  } finally {
    console.error = told;
  }
  assert.ok(heard.length > 0);
});

test("a bundle by a managed key verifies with that key, PEM or DER, and not with another", async () => {
  const managed = caseOf("key-genuine");
  const der = managed.bytes("key.der");
  const pem = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString("base64")}\n-----END PUBLIC KEY-----\n`;
  for (const publicKey of [der, new Blob([pem])]) {
    assert.equal((await verify(file(), { ...managed.options, publicKey })).verdict, "verified");
  }
  const { publicKey: _, ...without } = managed.options;
  assert.notEqual((await verify(file(), without)).verdict, "verified");
});
