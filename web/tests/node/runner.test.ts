/** The worker that all checks of a page share, as a page has it: what happens to them when one check keeps it busy. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setWorker, verify } from "@countersign/verify";
import { caseOf, FILE } from "./corpus.js";

type Message = { kind: string; id: number };
type Hear = (event: { data: object }) => void;

/** A worker that says that it is ready, and hears what it is told to hear. */
class StubWorker {
  readonly heard: Message[] = [];
  isEnded = false;
  readonly #listeners: Hear[] = [];
  readonly #answer: (message: Message) => object | undefined;

  constructor(answer: (message: Message) => object | undefined) {
    this.#answer = answer;
  }

  addEventListener(kind: string, listener: Hear): void {
    if (kind !== "message") return;
    if (this.#listeners.length === 0) setImmediate(() => this.#say({ kind: "ready" }));
    this.#listeners.push(listener);
  }

  removeEventListener(_kind: string, listener: Hear): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  postMessage(message: Message): void {
    this.heard.push(message);
    const answer = this.#answer(message);
    if (answer) setImmediate(() => this.#say(answer));
  }

  terminate(): void {
    this.isEnded = true;
  }

  #say(data: object): void {
    for (const listener of this.#listeners.slice()) listener({ data });
  }
}

const genuine = caseOf("crl-genuine");

before(() => Object.assign(globalThis, { document: {}, Worker: StubWorker }));

after(() => {
  for (const name of ["document", "Worker"]) Reflect.deleteProperty(globalThis, name);
});

test("a check that is given up ends a worker that cannot hear, and the others' checks begin again", async () => {
  const deaf = new StubWorker(() => undefined);
  const report = { verdict: "verified", findings: [] };
  const next = new StubWorker(({ kind, id }) => (kind === "check" ? { kind: "report", id, report } : undefined));
  const workers = [deaf, next];
  setWorker(() => workers.shift() as unknown as Worker);
  const controller = new AbortController();
  const check = (more: object) => verify(new Blob([FILE]), { ...genuine.options, ...more });
  const givenUp = check({ signal: controller.signal });
  const other = check({});
  while (deaf.heard.length < 2) await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error("enough"));
  await assert.rejects(givenUp, /enough/);
  assert.deepEqual(await other, report);
  assert.deepEqual([deaf.isEnded, next.isEnded], [true, false]);
  assert.deepEqual(
    deaf.heard.map(({ kind }) => kind),
    ["check", "check", "abort"],
  );
});

test("a check that is given up leaves a worker that answers alone", async () => {
  const worker = new StubWorker(({ kind, id }) => (kind === "abort" ? { kind: "aborted", id } : undefined));
  setWorker(() => worker as unknown as Worker);
  const controller = new AbortController();
  const givenUp = verify(new Blob([FILE]), { ...genuine.options, signal: controller.signal });
  while (worker.heard.length < 1) await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error("enough"));
  await assert.rejects(givenUp, /enough/);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.equal(worker.isEnded, false);
});
