/**
 * The package's core in Node: what a verification costs beside its signatures, and how fast files are hashed. Everything
 * is measured in turns with what it is held against, in one run, so that a busy machine disturbs both alike.
 *
 * `make bench` builds what it needs: the corpus, and the module with raw signature verification (target/wasm-bench).
 */

import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, openAsBlob, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash, webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { createGlue } from "../../target/wasm-bench/glue.js";
import { hash as hashFile } from "../dist/verify/hashing.js";

const ROOT = new URL("../../target/", import.meta.url);
const ROUNDS = 15;
const CALLS = 10;
/** What verification may cost beside its signatures. */
const AIM_RATIO = 1.3;
/** Of what Node itself reads and hashes. */
const AIM_HASHING = 0.9;
const AIM_FIRST_MS = 60;

const module = new WebAssembly.Module(readFileSync(new URL("wasm-bench/countersign.wasm", ROOT)));
const core = createGlue();
core.initSync({ module });

/** How many signatures each must check, as in tests/benches/verify.rs. */
const SUBJECTS = [
  { name: "private-p384", what: "private: one intermediate, one timestamp, one CRL (P-384)", p256: 0, p384: 7 },
  { name: "public-cosign", what: "public good: log entry with promise and proof, timestamp, SCT", p256: 4, p384: 4 },
];

const raw = {
  p256: await rawVerification("P-256", "SHA-256", "ECDSA P-256 with SHA-256"),
  p384: await rawVerification("P-384", "SHA-384", "ECDSA P-384 with SHA-384"),
};

for (const subject of SUBJECTS) {
  const whole = verificationOf(subject.name);
  const [all, parts] = inTurns(whole, () => {
    raw.p256(subject.p256);
    raw.p384(subject.p384);
  });
  console.log(subject.what);
  console.log(
    `  WebAssembly verify ${ms(all)}   ${subject.p256 + subject.p384} raw signatures ${ms(parts)}   ` +
      `ratio ${(all / parts).toFixed(2)} (aim ≤ ${AIM_RATIO})`,
  );
}
benchFirst();
await benchHashing();
printSizes();

function folderOf(name) {
  const folder = readdirSync(new URL("corpus/", ROOT)).find((each) => each.replace(/^\d+-/, "") === name);
  return new URL(`corpus/${folder}/`, ROOT);
}

function verificationOf(name) {
  const read = (file) => new Uint8Array(readFileSync(new URL(file, folderOf(name))));
  const text = (file) => new TextDecoder().decode(read(file));
  const { artifact, now, crls } = JSON.parse(text("case.json"));
  const [bundle, trust, policy] = ["bundle.json", "trusted_root.json", "policy.json"].map(read);
  const lists = crls.map(read);
  const expected = text("expected-report.json");
  return () => {
    const verification = new core.Verification(bundle, trust, policy, now);
    verification.setArtifact(artifact.name ?? undefined, artifact.size ?? undefined);
    for (const digest of artifact.digests) verification.addDigest(digest);
    for (const list of lists) verification.addCrl(list);
    const report = verification.report();
    verification.free();
    if (report !== expected) throw new Error(`${name}: another report than the native core's`);
  };
}

/** A key made now; `verifyRaw` is the same code that the core calls. */
async function rawVerification(namedCurve, hash, scheme) {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve }, true, ["sign", "verify"]);
  const message = new TextEncoder().encode("the published program");
  const plain = new Uint8Array(await webcrypto.subtle.sign({ name: "ECDSA", hash }, pair.privateKey, message));
  const key = new Uint8Array(await webcrypto.subtle.exportKey("raw", pair.publicKey));
  const signature = derSignature(plain);
  return (count) => {
    if (!core.verifyRaw(scheme, key, message, signature, count)) throw new Error(`${scheme}: does not hold`);
  };
}

/** WebCrypto writes r and s side by side; certificates carry DER. */
function derSignature(plain) {
  const integer = (octets) => {
    let start = 0;
    while (start < octets.length - 1 && octets[start] === 0) start += 1;
    const body = octets.subarray(start);
    const padded = body[0] >= 0x80 ? [0, ...body] : [...body];
    return [2, padded.length, ...padded];
  };
  const half = plain.length / 2;
  const content = [...integer(plain.subarray(0, half)), ...integer(plain.subarray(half))];
  return Uint8Array.from([0x30, content.length, ...content]);
}

/** The median milliseconds of one call of each. */
function inTurns(first, second) {
  const timed = (call) => {
    const start = performance.now();
    for (let index = 0; index < CALLS; index += 1) call();
    return (performance.now() - start) / CALLS;
  };
  timed(first);
  timed(second);
  const rounds = Array.from({ length: ROUNDS }, () => [timed(first), timed(second)]);
  return [0, 1].map((which) => median(rounds.map((round) => round[which])));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function ms(value) {
  return `${value.toFixed(2).padStart(7)} ms`;
}

/** A file as `verify` reads it in Node, beside `fs` and `node:crypto` themselves. */
async function benchHashing() {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  const path = join(folder, "file");
  const size = 256 << 20;
  const window = new Uint8Array(1 << 20).map((_, index) => index * 31);
  for (let at = 0; at < size; at += window.length) writeFileSync(path, window, { flag: "a" });
  const digestBy = async (algorithm, from) => {
    const options = { algorithms: [algorithm], total: size, signal: undefined, onProgress: undefined };
    return (await hashFile(undefined, from, options)).digests[0];
  };
  const ways = {
    "fs and node:crypto": async (algorithm) => {
      const hasher = createHash(algorithm);
      for await (const piece of createReadStream(path)) hasher.update(piece);
      return `${algorithm}:${hasher.digest("hex")}`;
    },
    "its file: URL": (algorithm) => digestBy(algorithm, pathToFileURL(path)),
    "a Blob of it": async (algorithm) => digestBy(algorithm, await openAsBlob(path)),
  };
  for (const algorithm of ["sha256", "sha384"]) {
    const rates = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
    const digests = new Set();
    for (let round = 0; round < 5; round += 1) {
      for (const [way, read] of Object.entries(ways)) {
        const start = performance.now();
        digests.add(await read(algorithm));
        rates[way].push(256_000 / (performance.now() - start));
      }
    }
    if (digests.size !== 1) throw new Error("the digests differ");
    const [theirs, ...ours] = Object.values(rates).map(median);
    const told = Object.keys(ways)
      .slice(1)
      .map((way, index) => `${way} ${ours[index].toFixed(0)} MiB/s, ratio ${(ours[index] / theirs).toFixed(2)}`);
    console.log(
      `${algorithm} of a file of 256 MiB in Node: fs and node:crypto ${theirs.toFixed(0)} MiB/s; ${told.join("; ")} ` +
        `(aim for the URL ≥ ${AIM_HASHING})`,
    );
  }
  rmSync(folder, { recursive: true });
}

/** The first verification of a process: load, compile, verify. */
function benchFirst() {
  const script = `
    const { readFileSync } = await import("node:fs");
    const start = performance.now();
    const { verify } = await import("${new URL("../dist/verify/index.js", import.meta.url).href}");
    const folder = new URL("${folderOf("private-p384").href}");
    const { artifact, now } = JSON.parse(readFileSync(new URL("case.json", folder), "utf8"));
    const at = (name) => new URL(name, folder);
    const report = await verify(
      { digests: artifact.digests },
      { bundle: at("bundle.json"), trust: at("trusted_root.json"), policy: at("policy.json"), now: new Date(now * 1000),
        revocation: { network: "none" } });
    if (report.signer === null) throw new Error("nothing was verified");
    console.log(performance.now() - start);`;
  const once = () => Number(execFileSync(process.execPath, ["--input-type=module", "--eval", script]));
  const first = median(Array.from({ length: 9 }, once));
  console.log(`the first verification in Node, load and compile included: ${ms(first)} (aim ≤ ${AIM_FIRST_MS} ms)`);
}

/** What a page loads. */
function printSizes() {
  const folder = new URL("../dist/verify/", import.meta.url);
  for (const name of ["countersign.wasm", "worker.js"]) {
    const bytes = readFileSync(new URL(name, folder));
    const compressed = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    console.log(`${name}: ${bytes.length} bytes, ${compressed.length} bytes brotli`);
  }
}
