/** What is kept of CRLs, if several verifications keep some at the same time, in one page or in several. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

type CacheModule = typeof import("../../dist/verify/crl-cache.js");
type Entry = { bytes: Uint8Array<ArrayBuffer>; headers: Headers };

const real = new Map(["caches", "navigator"].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
let tabs = 0;

/** The module as another page has it, with a memory of its own. */
async function tab(): Promise<CacheModule> {
  tabs += 1;
  return (await import(new URL(`../../dist/verify/crl-cache.js?tab=${tabs}`, import.meta.url).href)) as CacheModule;
}

function stand(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** Some turns of the event loop; how many differs from call to call. */
async function aWhile(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The browser's store, in which the first that is written comes last. */
function store(): Cache {
  const entries = new Map<string, Entry>();
  let writes = 0;
  return {
    async match(key: string) {
      await aWhile(2);
      const found = entries.get(key);
      return found && new Response(found.bytes, { headers: found.headers });
    },
    async put(key: string, response: Response) {
      writes += 1;
      await aWhile(writes === 1 ? 20 : 2);
      entries.set(key, { bytes: new Uint8Array(await response.arrayBuffer()), headers: response.headers });
    },
  } as unknown as Cache;
}

/** The browser's locks. */
function locks(): LockManager {
  const held = new Map<string, Promise<unknown>>();
  return {
    request(name: string, _options: LockOptions, use: () => Promise<unknown>) {
      const own = (held.get(name) ?? Promise.resolve()).then(use);
      held.set(name, own);
      return own;
    },
  } as unknown as LockManager;
}

function at(thisUpdate: number) {
  return { bytes: new Uint8Array([thisUpdate]), age: { thisUpdate, number: btoa(String.fromCharCode(thisUpdate)) } };
}

const AGES = [
  [9, 2],
  [2, 9],
  [5, 9, 2],
] as const;

function slotIn(module: CacheModule) {
  return module.slotOf(new URL("http://lists.example/signing.crl"), "aa");
}

beforeEach(() => stand("navigator", undefined));

afterEach(() => {
  for (const [name, descriptor] of real) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
});

async function newest(module: CacheModule): Promise<number | undefined> {
  return (await module.keptCrl(slotIn(module)))?.age.thisUpdate;
}

for (const where of ["in memory", "in a store"]) {
  test(`of lists that are kept at the same time the newest stays ${where}`, async () => {
    for (const ages of AGES) {
      if (where === "in a store") {
        const one = store();
        stand("caches", { open: async () => one });
      }
      const module = await tab();
      const known = await Promise.all(ages.map((age) => module.keepCrl(slotIn(module), at(age))));
      assert.equal(await newest(module), 9, `${ages}`);
      assert.equal(known.at(-1)?.age.thisUpdate, 9, "who comes last learns of the newest");
      if (where === "in a store") assert.equal(await newest(await tab()), 9, `${ages}, in another page`);
    }
  });
}

test("of lists that two pages keep at the same time the newest stays", async () => {
  for (const ages of AGES) {
    const one = store();
    stand("caches", { open: async () => one });
    stand("navigator", { locks: locks() });
    await Promise.all(
      ages.map(async (age) => {
        const module = await tab();
        await module.keepCrl(slotIn(module), at(age));
      }),
    );
    assert.equal(await newest(await tab()), 9, `${ages}`);
  }
});

test("a list is kept where locks are refused, or are held for ever", async () => {
  const refused = () => Promise.reject(new DOMException("no origin", "SecurityError"));
  const held = (_name: string, { signal }: LockOptions) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const alive = setInterval(() => {}, 1_000);
  try {
    for (const request of [refused, held]) {
      const one = store();
      stand("caches", { open: async () => one });
      stand("navigator", { locks: { request } });
      const module = await tab();
      await module.keepCrl(slotIn(module), at(9));
      assert.equal(await newest(await tab()), 9);
    }
  } finally {
    clearInterval(alive);
  }
});
