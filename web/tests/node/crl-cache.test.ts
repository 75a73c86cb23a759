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

const SAYS_NOTHING = { revokes: false, until: null };

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
      const known = await Promise.all(ages.map((age) => module.keepCrl(slotIn(module), at(age), SAYS_NOTHING)));
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
        await module.keepCrl(slotIn(module), at(age), SAYS_NOTHING);
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
      await module.keepCrl(slotIn(module), at(9), SAYS_NOTHING);
      assert.equal(await newest(await tab()), 9);
    }
  } finally {
    clearInterval(alive);
  }
});

/** A list of a third of what memory holds. */
function large(thisUpdate: number) {
  return { bytes: new Uint8Array(21 << 20), age: { thisUpdate, number: "" } };
}

test("what revokes goes for no other before it has run out, and of what goes the age stays", async () => {
  const module = await tab();
  const slot = (name: string) => module.slotOf(new URL(`http://lists.example/${name}.crl`), "aa");
  const soon = Date.now() / 1000 + 60;
  await module.keepCrl(slot("revoking"), large(9), { revokes: true, until: soon });
  await module.keepCrl(slot("past"), large(9), { revokes: true, until: 10 });
  await module.keepCrl(slot("plain"), large(9), { revokes: false, until: soon });
  for (const name of ["other", "another"]) await module.keepCrl(slot(name), large(9), { revokes: false, until: soon });
  const has = async (name: string) => (await module.keptCrl(slot(name))) !== undefined;
  assert.deepEqual(await Promise.all(["revoking", "past", "plain", "another"].map(has)), [true, true, false, true]);
  assert.equal(await module.forgottenAge(slot("revoking")), undefined);
  assert.equal((await module.forgottenAge(slot("plain")))?.thisUpdate, 9);
  // An older one does not come back in its place; a newer one does.
  await module.keepCrl(slot("plain"), large(8), SAYS_NOTHING);
  assert.equal(await has("plain"), false);
  await module.keepCrl(slot("plain"), large(10), { revokes: true, until: soon });
  assert.deepEqual([await has("plain"), await module.forgottenAge(slot("plain"))], [true, undefined]);
  await module.keepCrl(slot("third"), large(9), { revokes: true, until: soon });
  assert.deepEqual(await Promise.all(["revoking", "plain", "third", "past"].map(has)), [true, true, true, false]);
  // Full of what must stay: what comes is not kept, and remembered.
  await module.keepCrl(slot("late"), large(9), { revokes: true, until: soon });
  assert.deepEqual(await Promise.all(["revoking", "plain", "third", "late"].map(has)), [true, true, true, false]);
  assert.equal((await module.forgottenAge(slot("late")))?.thisUpdate, 9);
});

test("of a list for which the browser has no room, its age is stored", async () => {
  const one = store();
  const put = one.put.bind(one);
  one.put = async (key, response) => {
    if ((await response.clone().arrayBuffer()).byteLength > 0) throw new DOMException("full", "QuotaExceededError");
    await put(key, response);
  };
  stand("caches", { open: async () => one });
  const module = await tab();
  await module.keepCrl(slotIn(module), at(9), SAYS_NOTHING);
  assert.equal(await newest(module), 9, "it is in memory");
  const later = await tab();
  assert.equal(await newest(later), undefined);
  assert.equal((await later.forgottenAge(slotIn(later)))?.thisUpdate, 9);
  one.put = put;
  await later.keepCrl(slotIn(later), at(9), SAYS_NOTHING);
  assert.equal(await newest(await tab()), 9, "it takes the age's place");
});
