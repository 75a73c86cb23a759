/**
 * CRLs that were seen before, the newest for each address and issuer, however old it is. In memory, and in browsers by
 * the Cache API where the page may use it. Which CRL is worth keeping is not decided here (kept-crls.ts), and the core
 * checks each one again.
 */

const STORE = "countersign-crls-3";
const HEADERS = { thisUpdate: "x-this-update", number: "x-crl-number" } as const;
/** Bytes kept in memory; the oldest go first. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/** When a CRL was made, in seconds since 1970, and its number in Base64. */
export interface CrlAge {
  thisUpdate: number;
  number: string;
}

export interface KeptCrl {
  bytes: Uint8Array;
  age: CrlAge;
}

/** Where a CRL is kept; made by `slotOf`. */
export type Slot = string & { readonly kind: unique symbol };

const memory = new Map<Slot, KeptCrl>();

/** The place for what an issuer's certificates name that address for. Another issuer's list has another place. */
export function slotOf(url: URL, issuerKey: string): Slot {
  const { origin, pathname, search } = url;
  // The Cache API takes web addresses alone, and a fragment does not count.
  return `${origin}${pathname}${search}${search === "" ? "?" : "&"}countersign-issuer=${issuerKey}` as Slot;
}

/** Whether the first is newer than the second. */
export function isNewer(first: CrlAge, second: CrlAge): boolean {
  if (first.thisUpdate !== second.thisUpdate) return first.thisUpdate > second.thisUpdate;
  const [one, other] = [octetsOf(first.number), octetsOf(second.number)];
  return one.length === other.length ? one > other : one.length > other.length;
}

/** A number's octets as text, without leading zeros. */
function octetsOf(number: string): string {
  return atob(number).replace(/^\0+/, "");
}

/** Keeps a CRL, unless a newer one is kept. */
export async function keepCrl(slot: Slot, crl: KeptCrl): Promise<void> {
  const known = await keptCrl(slot);
  if (known && !isNewer(crl.age, known.age)) return;
  remember(slot, crl);
  const headers = {
    "content-type": "application/pkix-crl",
    [HEADERS.thisUpdate]: String(crl.age.thisUpdate),
    [HEADERS.number]: crl.age.number,
  };
  await withStore((store) => store.put(slot, new Response(crl.bytes as BodyInit, { headers })));
}

function remember(slot: Slot, crl: KeptCrl): void {
  memory.delete(slot);
  memory.set(slot, crl);
  let held = 0;
  for (const each of memory.values()) held += each.bytes.length;
  for (const [oldest, each] of memory) {
    if (held <= MEMORY_BYTES) break;
    memory.delete(oldest);
    held -= each.bytes.length;
  }
}

/** The newest CRL that was kept there, however old it is. */
export async function keptCrl(slot: Slot): Promise<KeptCrl | undefined> {
  const known = memory.get(slot);
  const stored = await withStore(async (store) => {
    const response = await store.match(slot);
    return response && { age: ageOf(response), response };
  });
  // Another page of this origin may have had a newer one.
  if (!stored || (known && !isNewer(stored.age, known.age))) return known;
  return { age: stored.age, bytes: new Uint8Array(await stored.response.arrayBuffer()) };
}

function ageOf({ headers }: Response): CrlAge {
  return {
    thisUpdate: Number(headers.get(HEADERS.thisUpdate)) || 0,
    number: headers.get(HEADERS.number) ?? "",
  };
}

/** Forgets all that was kept, here and in the browser. */
export async function forgetCrls(): Promise<void> {
  memory.clear();
  try {
    await globalThis.caches?.delete(STORE);
  } catch {
    // A page without an origin has no store.
  }
}

/** Pages from file://, private windows and Node have no store; then memory is all. */
async function withStore<T>(use: (store: Cache) => Promise<T>): Promise<T | undefined> {
  try {
    const store = await globalThis.caches?.open(STORE);
    return store && (await use(store));
  } catch {
    return undefined;
  }
}
