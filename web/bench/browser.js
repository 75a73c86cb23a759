/**
 * The package in Chromium: SHA-384 and SHA-256 of a 2 GiB file in the worker beside one-shot crypto.subtle on memory, what
 * the renderer's memory does meanwhile, and how long a verification takes on first use and warm.
 *
 * Rates are compared within one run, in turns. `make bench` builds what it needs; SIZE_GIB chooses another file size.
 */

import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const GIB = 2 ** 30;
const SIZE = Math.round(Number(process.env.SIZE_GIB ?? 2) * GIB);
const SUBTLE_BYTES = 256 << 20;
const WARM_CALLS = 30;
const AIMS = { sha384: 0.9, sha256: 0.4, memoryMiB: 200, warmMs: 25, firstMs: 150 };
const DIST = new URL("../dist/verify/", import.meta.url);
const CORPUS = new URL("../../target/corpus/", import.meta.url);
const TYPES = { js: "text/javascript", wasm: "application/wasm", json: "application/json" };
const PAGE = `<!doctype html><meta charset="utf-8"><title>bench</title><input type="file">`;

const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
const server = createServer(serve);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}/`;
const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  userDataDir: join(folder, "profile"),
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
  protocolTimeout: 600_000,
});
try {
  await benchVerify();
  await benchHashing("public-cosign", "sha256", "SHA-256");
  await benchHashing("private-p384", "sha384", "SHA-384");
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function serve(request, response) {
  const path = new URL(request.url, "http://localhost").pathname;
  if (path === "/") return void response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
  const [kind, ...rest] = path.slice(1).split("/");
  const file = kind === "dist" ? new URL(rest.join("/"), DIST) : new URL(`${caseFolder(rest[0])}/${rest[1]}`, CORPUS);
  try {
    const type = TYPES[path.split(".").pop()] ?? "application/octet-stream";
    const content = readFileSync(file);
    response.writeHead(200, { "content-type": type }).end(content);
  } catch {
    response.writeHead(404).end();
  }
}

function caseFolder(name) {
  return readdirSync(CORPUS).find((each) => each.replace(/^\d+-/, "") === name);
}

/** First use: load, compile, verify; then again and again. */
async function benchVerify() {
  const first = [];
  const warm = [];
  for (let round = 0; round < 5; round += 1) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(address);
    const times = await page.evaluate(async (calls) => {
      const { verify } = await import("/dist/index.js");
      const read = async (name) => new Uint8Array(await (await fetch(`/case/private-p384/${name}`)).arrayBuffer());
      const described = JSON.parse(new TextDecoder().decode(await read("case.json")));
      const [bundle, trust, policy] = await Promise.all(["bundle.json", "trusted_root.json", "policy.json"].map(read));
      const crls = await Promise.all(described.crls.map(read));
      const artifact = new File(["the published program"], "app");
      const options = {
        bundle,
        trust,
        policy,
        now: new Date(described.now * 1000),
        revocation: { network: "none", crls },
      };
      const taken = [];
      for (let call = 0; call <= calls; call += 1) {
        const start = performance.now();
        const { verdict, code } = await verify(artifact, options);
        taken.push(performance.now() - start);
        if (verdict !== "verified") throw new Error(code);
      }
      return taken;
    }, WARM_CALLS);
    first.push(times[0]);
    warm.push(median(times.slice(10)));
    await context.close();
  }
  console.log(
    `verify a private bundle, the file included, in the worker: first use ${median(first).toFixed(0)} ms (aim < ${AIMS.firstMs}), warm ${median(warm).toFixed(1)} ms (aim < ${AIMS.warmMs})`,
  );
}

/** A file of zeros that takes no room on the disk, in turns with memory. */
async function benchHashing(name, algorithm, subtleName) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "large.bin");
  const file = openSync(path, "w");
  ftruncateSync(file, SIZE);
  closeSync(file);
  const page = await browser.newPage();
  await page.goto(address);
  await (await page.$("input")).uploadFile(path);
  const ours = [];
  const theirs = [];
  let peak = 0;
  for (let round = 0; round < 3; round += 1) {
    const watch = watchMemory();
    ours.push(await page.evaluate(hashFile, name, algorithm));
    peak = Math.max(peak, await watch.stop());
    const other = await browser.newPage();
    await other.goto(address);
    theirs.push(await other.evaluate(hashMemory, subtleName, SUBTLE_BYTES));
    await other.close();
  }
  await page.close();
  const [mine, subtle] = [median(ours), median(theirs)];
  console.log(
    `${subtleName} of a file of ${(SIZE / GIB).toFixed(1)} GiB in the worker: ${mine.toFixed(0)} MiB/s; crypto.subtle on memory ` +
      `${subtle.toFixed(0)} MiB/s; ratio ${(mine / subtle).toFixed(2)} (aim ≥ ${AIMS[algorithm]}); ` +
      `largest renderer ${peak.toFixed(0)} MiB (aim < ${AIMS.memoryMiB})`,
  );
}

/** In the page: MiB/s from the first byte to the last. */
async function hashFile(name, algorithm) {
  const { verify } = await import("/dist/index.js");
  const [input] = document.getElementsByTagName("input");
  const marks = {};
  const report = await verify(input.files[0], {
    bundle: `/case/${name}/bundle.json`,
    trust: `/case/${name}/trusted_root.json`,
    policy: `/case/${name}/policy.json`,
    revocation: { network: "none" },
    onStep: ({ step, state }) => (marks[`${step} ${state}`] = performance.now()),
  });
  if (!report.artifact.digests[0]?.startsWith(algorithm)) throw new Error(`${report.code}: ${report.artifact.digests}`);
  return report.artifact.size / 2 ** 20 / ((marks["hash done"] - marks["hash begun"]) / 1000);
}

/** In a page of its own: MiB/s of one call on memory. */
async function hashMemory(name, size) {
  const memory = new Uint8Array(size);
  await crypto.subtle.digest(name, memory.subarray(0, 1 << 20));
  const start = performance.now();
  await crypto.subtle.digest(name, memory);
  return size / 2 ** 20 / ((performance.now() - start) / 1000);
}

/** The resident memory of the largest renderer of our browser, looked at ten times a second. */
function watchMemory() {
  let peak = 0;
  const own = browser.process()?.pid;
  const look = () => {
    for (const pid of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        if (!line.includes("--type=renderer") || !descends(pid, own)) continue;
        const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
        peak = Math.max(peak, Number(resident) / 1024);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 100);
  return {
    stop: async () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function descends(pid, ancestor) {
  for (let each = Number(pid); each > 1;) {
    if (each === ancestor) return true;
    each = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${each}/status`, "latin1"))?.[1]);
  }
  return false;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
