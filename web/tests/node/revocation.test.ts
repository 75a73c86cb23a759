/** Revocation from the network: which addresses are asked, how, and what happens when they do not answer. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { forgetCrls, type Step, verify, type VerifyOptions } from "@countersign/verify";
import { type Case, caseOf, FILE } from "./corpus.js";

const listed = caseOf("crl-genuine");
const answered = caseOf("download-ocsp-alone");
const realFetch = globalThis.fetch;
let asked: Array<{ url: string; init: RequestInit }>;
let answer: (url: string) => Response | Promise<Response>;

beforeEach(async () => {
  asked = [];
  await forgetCrls();
  globalThis.fetch = async (input, init = {}) => {
    const url = String(input);
    asked.push({ url, init });
    return answer(url);
  };
});

afterEach(() => {
  globalThis.fetch = realFetch;
});

function options(of: Case, more: Partial<VerifyOptions> = {}): VerifyOptions {
  return { ...of.options, revocation: { network: "fetch" }, ...more };
}

function crl(): Response {
  return new Response(listed.bytes("crl-0.der"));
}

const file = () => new Blob([FILE]);

/** An answer that never comes. */
function silence(): Promise<Response> {
  const signal = asked.at(-1)?.init.signal;
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

/** Waits until that many questions were asked. */
async function until(questions: number): Promise<void> {
  while (asked.length < questions) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * The end of a check under mocked timers, whose time goes on a little at a time: hashing lets messages in by a timer now
 * and then, which nobody else would let run.
 */
async function ended<T>(checking: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => void (isOver = true);
  checking.then(over, over);
  // oxlint-disable-next-line no-unmodified-loop-condition -- `over` sets it
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(1);
  }
  return checking;
}

test("the list is fetched from the certificate's address, once, by nobody in particular", async () => {
  answer = crl;
  assert.equal((await verify(file(), options(listed))).verdict, "verified");
  const urls = asked.map(({ url }) => url);
  assert.equal(new Set(urls).size, urls.length, `asked twice: ${urls}`);
  for (const { url, init } of asked) {
    assert.match(url, /^http:\/\/[a-z.]+\.example\//);
    assert.deepEqual([init.credentials, init.referrerPolicy, init.method ?? "GET"], ["omit", "no-referrer", "GET"]);
  }
});

test("nothing is asked when the network is not to be used, or all is given", async () => {
  answer = () => assert.fail("asked");
  const none = await verify(file(), options(listed, { revocation: { network: "none" } }));
  assert.equal(none.code, "revocation.unavailable");
  const { revocation } = listed.options;
  const policy = listed.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "required", authorities: "off", timestamp_authorities: "off" };
  const given = await verify(file(), options(listed, { policy, revocation: { ...revocation, network: "fetch" } }));
  assert.equal(given.verdict, "verified");
  assert.deepEqual(asked, []);
});

test("a stranger's bundle makes nobody ask the stranger's addresses", async () => {
  answer = () => assert.fail("asked");
  const trust = caseOf("public-cosign").bytes("trusted_root.json");
  assert.equal((await verify(file(), options(listed, { trust }))).verdict, "rejected");
  assert.deepEqual(asked, []);
});

test("an address that does not answer is told, and the report is not checked", async () => {
  for (const [failure, reason] of [
    [() => Promise.reject(new TypeError("no route")), /no route/],
    [() => new Response("", { status: 503 }), /503/],
    [() => new Response("", { status: 404 }), /404/],
    [() => new Response("<html>Log in</html>"), /something else/],
    [() => new Response(new Uint8Array(33 << 20)), /bytes or more/],
  ] as const) {
    answer = failure;
    const steps: Step[] = [];
    const report = await verify(file(), options(listed, { onStep: (step) => steps.push(step) }));
    assert.deepEqual([report.verdict, report.code], ["not-checked", "revocation.unavailable"]);
    const failed = steps.filter((step) => step.step === "revocation" && step.state === "failed");
    assert.ok(failed.length > 0);
    for (const step of failed) assert.match(`${step.url} ${step.reason}`, reason);
  }
});

test("a list serves until its successor is due when the address is silent, and no longer", async () => {
  answer = crl;
  assert.equal((await verify(file(), options(listed))).verdict, "verified");
  answer = () => Promise.reject(new TypeError("no route"));
  assert.equal((await verify(file(), options(listed))).verdict, "verified");
  const later = new Date(listed.now.getTime() + 400 * 86_400_000);
  const report = await verify(file(), options(listed, { now: later }));
  assert.notEqual(report.verdict, "verified");
  await forgetCrls();
  assert.equal((await verify(file(), options(listed))).code, "revocation.unavailable");
});

test("a revocation shows at once, whatever was kept", async () => {
  answer = crl;
  assert.equal((await verify(file(), options(listed))).verdict, "verified");
  answer = () => new Response(caseOf("crl-revoked-before-keycompromise").bytes("crl-0.der"));
  const report = await verify(file(), options(listed));
  assert.deepEqual([report.verdict, report.code], ["rejected", "revocation.revoked"]);
});

test("a revocation that was seen is not forgotten when an older list is brought again", async () => {
  const [revoked, older, forged] = [
    caseOf("crl-revoked-before-keycompromise"),
    caseOf("download-older-list"),
    caseOf("download-forged-list"),
  ];
  const served = async (from: Case): Promise<string | null> => {
    answer = () => new Response(from.bytes("crl-0.der"));
    return (await verify(file(), options(listed))).code;
  };
  assert.equal(await served(older), null, "the older list alone is good");
  assert.equal(await served(revoked), "revocation.revoked");
  assert.equal(await served(older), "revocation.revoked");
  // Nor does a list of somebody else's push out what is kept.
  assert.equal(await served(forged), "revocation.revoked");
  assert.equal(await served(older), "revocation.revoked");
  answer = () => Promise.reject(new TypeError("no route"));
  assert.equal((await verify(file(), options(listed))).code, "revocation.revoked");
});

const [revokedList, olderList] = [
  caseOf("crl-revoked-before-keycompromise").bytes("crl-0.der"),
  caseOf("download-older-list").bytes("crl-0.der"),
];
const mirrored = caseOf("download-two-addresses");
const [otherPoint, otherIssuer] = [mirrored.bytes("crl-1.der"), mirrored.bytes("crl-2.der")];

/** Which list each host gives. */
function serve(lists: { [host: string]: Uint8Array }): void {
  answer = (url) => {
    const list = lists[new URL(url).hostname];
    return list ? new Response(list as BodyInit) : new Response("", { status: 404 });
  };
}

/** The code of a check, with CRLs that the caller gives. */
async function codeOf(
  of: Case,
  revocation: VerifyOptions["revocation"],
  more: Partial<VerifyOptions> = {},
): Promise<string | null> {
  return (await verify(file(), { ...of.options, revocation: { network: "fetch", ...revocation }, ...more })).code;
}

test("a revocation that was seen is not undone by an older list that the caller gives", async () => {
  for (const network of ["none", "fetch"] as const) {
    await forgetCrls();
    serve({});
    assert.equal(await codeOf(listed, { network, crls: [olderList] }), null, "the older list alone is good");
    serve({ "revocation.example": revokedList });
    assert.equal(await codeOf(listed, {}), "revocation.revoked");
    serve({});
    assert.equal(await codeOf(listed, { network, crls: [olderList] }), "revocation.revoked", network);
    assert.equal(await codeOf(listed, { network }), "revocation.revoked", network);
  }
});

test("an older list than one that had to go from memory is not used", async () => {
  const cache = (await import(new URL("../../dist/verify/crl-cache.js", import.meta.url).href)) as {
    keepCrl(slot: string, crl: object, says: object): Promise<unknown>;
  };
  const age = { thisUpdate: listed.now.getTime() / 1000, number: "" };
  for (const network of ["none", "fetch"] as const) {
    await forgetCrls();
    serve({});
    assert.equal(await codeOf(listed, { network, crls: [listed.bytes("crl-0.der")] }), null);
    for (const name of ["a", "b", "c", "d"]) {
      const others = { bytes: new Uint8Array(21 << 20), age };
      await cache.keepCrl(`http://others.example/${name}`, others, { revokes: false, until: null });
    }
    assert.equal(await codeOf(listed, { network, crls: [olderList] }), "revocation.unavailable", "given");
    serve({ "revocation.example": olderList });
    assert.equal(await codeOf(listed, {}), "revocation.unavailable", "served");
    serve({ "revocation.example": listed.bytes("crl-0.der") });
    assert.equal(await codeOf(listed, { crls: [olderList] }), null, "the newest is asked for");
  }
});

test("a revocation is remembered from a list that the caller gave, wherever it came from", async () => {
  const pem = `-----BEGIN X509 CRL-----\n${Buffer.from(revokedList).toString("base64")}\n-----END X509 CRL-----\n`;
  const sources = [revokedList, `http://lists.example/`, new Blob([pem, pem])];
  for (const source of sources) {
    await forgetCrls();
    serve({ "lists.example": revokedList });
    assert.equal(await codeOf(listed, { network: "none", crls: [source] }), "revocation.revoked");
    serve({ "revocation.example": olderList });
    assert.equal(await codeOf(listed, {}), "revocation.revoked");
    assert.equal(await codeOf(listed, { network: "none", crls: [olderList] }), "revocation.revoked");
  }
});

test("a revocation that was seen is not undone by an older list from the certificate's second address", async () => {
  const stale = new Date(mirrored.now.getTime() + 2 * 86_400_000);
  for (const now of [mirrored.now, stale]) {
    for (const seenAt of ["revocation.example", "mirror.example"]) {
      await forgetCrls();
      serve({ [seenAt]: revokedList });
      assert.equal(await codeOf(mirrored, {}), "revocation.revoked");
      for (const host of ["mirror.example", "revocation.example"]) {
        serve({ [host]: olderList });
        assert.equal(await codeOf(mirrored, {}, { now }), "revocation.revoked", `${seenAt}, then ${host}`);
      }
    }
  }
});

test("a list of another issuer or of another point never takes the place of a kept one", async () => {
  const policy = listed.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "required", authorities: "off", timestamp_authorities: "when-available" };
  // The timestamp authority's certificate names the same address, so its list is kept from there too.
  for (const [kind, list] of Object.entries({ otherPoint, otherIssuer })) {
    for (const more of [{}, { policy }]) {
      await forgetCrls();
      serve({ "revocation.example": revokedList });
      assert.equal(await codeOf(listed, {}, more), "revocation.revoked");
      serve({ "revocation.example": list });
      assert.equal(await codeOf(listed, {}, more), "revocation.revoked", kind);
      assert.equal(await codeOf(listed, { network: "none", crls: [list] }, more), "revocation.revoked", kind);
      serve({ "revocation.example": olderList });
      assert.equal(await codeOf(listed, {}, more), "revocation.revoked", kind);
    }
  }
});

test("a list that says nothing of the certificate does not keep the second address from being asked", async () => {
  for (const list of [otherPoint, otherIssuer, caseOf("download-forged-list").bytes("crl-0.der")]) {
    await forgetCrls();
    serve({ "revocation.example": list, "mirror.example": revokedList });
    assert.equal(await codeOf(mirrored, {}), "revocation.revoked");
  }
});

/** The bundle among so many statements of nobody about a file of its name that no more can be verified. */
function amongDecoys(of: Case): Uint8Array {
  const genuine = of.json("bundle.json") as { verificationMaterial: object };
  const { verificationMaterial: strangers } = caseOf("public-cosign").json("bundle.json") as typeof genuine;
  const { dsseEnvelope } = caseOf("statement-other-digest").json("bundle.json") as { dsseEnvelope: object };
  const decoys = Array.from({ length: 32 }, (_, index) => ({
    ...genuine,
    messageSignature: undefined,
    verificationMaterial: { ...genuine.verificationMaterial, certificate: (strangers as Certified).certificate },
    dsseEnvelope: { ...dsseEnvelope, signatures: [{ sig: btoa(`decoy ${index}`) }] },
  }));
  return new TextEncoder().encode([...decoys, genuine].map((line) => JSON.stringify(line)).join("\n"));
}

interface Certified {
  certificate: object;
}

test("lines beside the bundle keep nobody from being asked, and nothing that was seen from being judged", async () => {
  const bundle = amongDecoys(listed);
  const policy = listed.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "when-available", authorities: "off", timestamp_authorities: "off" };
  serve({ "revocation.example": listed.bytes("crl-0.der") });
  assert.equal(await codeOf(listed, {}, { bundle }), null, "they change nothing else");
  for (const more of [{ bundle }, { bundle, policy }]) {
    await forgetCrls();
    asked = [];
    serve({ "revocation.example": revokedList });
    assert.equal(await codeOf(listed, {}, more), "revocation.revoked", "it is asked");
    const urls = asked.map(({ url }) => url);
    assert.equal(new Set(urls).size, urls.length, `asked twice: ${urls}`);
    serve({});
    const given = { network: "none", crls: [olderList] } as const;
    assert.equal(await codeOf(listed, given, more), "revocation.revoked", "it is remembered");
  }
});

test("of two checks at once, neither makes forgotten what the other one saw", async () => {
  for (const lists of [
    [revokedList, olderList],
    [olderList, revokedList],
  ]) {
    await forgetCrls();
    const check = (list: Uint8Array) => codeOf(listed, { network: "none", crls: [list] });
    const codes = await Promise.all(lists.map(check));
    assert.ok(codes.includes("revocation.revoked"));
    assert.equal(await check(olderList), "revocation.revoked");
  }
});

test("once the file is known, only what is new of its bundle is asked", async () => {
  const both = caseOf("download-list-and-ocsp");
  const other = caseOf("statement-genuine").text("bundle.json");
  const bundle = new TextEncoder().encode(`${other}\n${both.text("bundle.json")}`);
  answer = (url) =>
    url.includes("/ocsp/") ? new Response(both.bytes("ocsp-0.der")) : new Response("", { status: 404 });
  assert.equal((await verify(file(), options(both, { bundle }))).verdict, "verified");
  const urls = asked.map(({ url }) => url);
  assert.equal(new Set(urls).size, urls.length, `asked twice: ${urls}`);
});

test("a newer list takes the place of the kept one", async () => {
  serve({ "revocation.example": olderList });
  assert.equal(await codeOf(listed, {}), null);
  serve({ "revocation.example": listed.bytes("crl-0.der") });
  assert.equal(await codeOf(listed, {}), null);
  serve({});
  const report = await verify(file(), { ...listed.options, revocation: { network: "none" } });
  assert.equal(report.verdict, "verified");
  assert.equal(
    asked.every(({ url }) => url.startsWith("http://revocation.example/")),
    true,
  );
});

test("a service that hangs is given up after eight seconds, and all are asked at once", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  answer = silence;
  const policy = listed.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "required", authorities: "required", timestamp_authorities: "required" };
  const steps: Step[] = [];
  const checking = verify(file(), options(listed, { policy, onStep: (step) => steps.push(step) }));
  await until(1);
  const begun = steps.filter(({ step, state }) => step === "revocation" && state === "begun");
  assert.equal(begun.length, new Set(asked.map(({ url }) => url)).size);
  mock.timers.tick(8_000);
  const report = await ended(checking);
  assert.equal(report.verdict, "not-checked");
  assert.equal(report.code, "revocation.unavailable");
  const failed = steps.filter(({ step, state }) => step === "revocation" && state === "failed");
  assert.ok(failed.length > 0);
  for (const { reason } of failed) assert.match(reason ?? "", /^no answer in 8 seconds$/);
});

test("a list that is kept and still good answers when the service hangs", async (context) => {
  answer = crl;
  assert.equal((await verify(file(), options(listed))).verdict, "verified");
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  asked = [];
  answer = silence;
  const checking = verify(file(), options(listed));
  await until(1);
  mock.timers.tick(3_000);
  assert.equal((await ended(checking)).verdict, "verified");
});

test("a list that goes on coming is waited for", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const bytes = listed.bytes("crl-0.der");
  const coming: ReadableStreamDefaultController<Uint8Array>[] = [];
  let isOver = false;
  answer = (url) => {
    if (isOver || url.includes("/ocsp/")) return new Response("", { status: 404 });
    return new Response(new ReadableStream<Uint8Array>({ start: (controller) => void coming.push(controller) }));
  };
  const checking = verify(file(), options(listed));
  await until(1);
  for (const at of [0, 1, 2]) {
    mock.timers.tick(7_000);
    for (const each of coming) each.enqueue(bytes.slice(at, at + 1));
    // Time for the piece to be taken, before the clock goes on.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  isOver = true;
  for (const each of coming) {
    each.enqueue(bytes.slice(3));
    each.close();
  }
  assert.equal((await ended(checking)).verdict, "verified");
});

test("OCSP is asked if no list gives an answer, after the lists", async () => {
  const both = caseOf("download-list-and-ocsp");
  const isOcsp = (url: string) => url.includes("/ocsp/");
  const withLists = (list: () => Response) => {
    asked = [];
    answer = (url) => (isOcsp(url) ? new Response(both.bytes("ocsp-0.der")) : list());
  };
  const check = async () => (await verify(file(), options(both))).verdict;

  withLists(() => new Response(both.bytes("crl-0.der")));
  assert.equal(await check(), "verified");
  assert.equal(
    asked.some(({ url }) => isOcsp(url)),
    false,
    "a list tells less of who asks",
  );

  await forgetCrls();
  withLists(() => new Response("", { status: 404 }));
  assert.equal(await check(), "verified");
  assert.ok(isOcsp(asked.at(-1)?.url ?? ""), "lists first");

  withLists(() => new Response(caseOf("crl-other-point").bytes("crl-0.der")));
  assert.equal(await check(), "verified", "a list that does not cover the certificate");

  withLists(() => new Response("", { status: 404 }));
  const policy = both.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "when-available", authorities: "off", timestamp_authorities: "off" };
  await verify(file(), options(both, { policy }));
  assert.equal(
    asked.some(({ url }) => isOcsp(url)),
    false,
    "nobody is told for what need not be known",
  );
});

test("OCSP is asked when the list's service hangs, and the check ends in time", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const both = caseOf("download-list-and-ocsp");
  answer = (url) => (url.includes("/ocsp/") ? new Response(both.bytes("ocsp-0.der")) : silence());
  const checking = verify(file(), options(both));
  await until(1);
  const lists = asked.length;
  mock.timers.tick(5_000);
  await until(lists + 1);
  mock.timers.tick(3_000);
  assert.equal((await ended(checking)).verdict, "verified");
});

test("OCSP is asked by GET where the policy requires an answer and no list is named", async () => {
  answer = (url) => {
    assert.match(url, /^http:\/\/revocation\.example\/(ocsp\/M[\w%]+|.*crl)$/);
    return url.includes("/ocsp/") ? new Response(answered.bytes("ocsp-0.der")) : new Response("", { status: 404 });
  };
  assert.equal((await verify(file(), options(answered))).verdict, "verified");
  assert.ok(asked.some(({ url }) => url.includes("/ocsp/")));

  asked = [];
  const policy = answered.json("policy.json") as { revocation?: object };
  policy.revocation = { signer: "when-available", authorities: "off", timestamp_authorities: "off" };
  assert.equal((await verify(file(), options(answered, { policy }))).verdict, "verified");
  assert.deepEqual(asked, []);
});

test("a file that is cut short is told at once, and nobody is asked", async () => {
  answer = () => assert.fail("asked");
  const short = file().slice(0, 20);
  const report = await verify(short, options(caseOf("download-sized")));
  assert.equal(report.code, "content.incomplete");
  assert.deepEqual(asked, []);
});

test("answers that are needed no more are not waited for", async () => {
  let given: AbortSignal | null | undefined;
  answer = () =>
    new Promise((_, reject) => {
      const signal = (given = asked.at(-1)?.init.signal);
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  const broken = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await until(1);
      controller.error(new Error("gone"));
    },
  });
  assert.equal((await verify(broken, options(listed))).code, "setup.input.unreadable");
  assert.equal(given?.aborted, true);
});

test("an abort ends a fetch that hangs", async () => {
  const controller = new AbortController();
  answer = () =>
    new Promise((_, reject) => {
      const signal = asked.at(-1)?.init.signal;
      signal?.addEventListener("abort", () => reject(signal.reason));
      setImmediate(() => controller.abort());
    });
  await assert.rejects(verify(file(), options(listed, { signal: controller.signal })), { name: "AbortError" });
});
