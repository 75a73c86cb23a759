/**
 * CRLs that were fetched before: for each address the newest that its issuer signed. It serves until its nextUpdate
 * when the address does not answer; while it does, it is asked, since a revocation must show at once (HTTP's own cache
 * saves the bytes). When the address answers with an older one, as somebody on the way may have it do, the kept one is
 * handed in too, so that a revocation that was seen is not forgotten.
 *
 * Kept in memory, and in browsers by the Cache API where the page may use it. The core checks each CRL again.
 */

const STORE = "countersign-crls-2";
const HEADERS = { thisUpdate: "x-this-update", nextUpdate: "x-next-update", number: "x-crl-number" } as const;
/** Bytes kept in memory; the oldest go first. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/** When a CRL was made and how long it holds, in seconds since 1970, and its number in Base64. */
export interface CrlAge {
  thisUpdate: number;
  nextUpdate: number;
  number: string;
}

export interface KeptCrl {
  bytes: Uint8Array;
  age: CrlAge;
}

const memory = new Map<string, KeptCrl>();

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

/** Keeps a CRL whose signature was checked, unless a newer one is kept. */
export async function keepCrl(url: string, crl: KeptCrl): Promise<void> {
  const known = await keptCrl(url);
  if (known && !isNewer(crl.age, known.age)) return;
  remember(url, crl);
  const headers = {
    "content-type": "application/pkix-crl",
    [HEADERS.thisUpdate]: String(crl.age.thisUpdate),
    [HEADERS.nextUpdate]: String(crl.age.nextUpdate),
    [HEADERS.number]: crl.age.number,
  };
  await withStore((store) => store.put(url, new Response(crl.bytes as BodyInit, { headers })));
}

function remember(url: string, crl: KeptCrl): void {
  memory.delete(url);
  memory.set(url, crl);
  let held = 0;
  for (const each of memory.values()) held += each.bytes.length;
  for (const [oldest, each] of memory) {
    if (held <= MEMORY_BYTES) break;
    memory.delete(oldest);
    held -= each.bytes.length;
  }
}

/** The newest CRL that was had from that address, however old it is. */
export async function keptCrl(url: string): Promise<KeptCrl | undefined> {
  const known = memory.get(url);
  const stored = await withStore(async (store) => {
    const response = await store.match(url);
    return response && { age: ageOf(response), response };
  });
  // Another page of this origin may have had a newer one.
  if (!stored || (known && !isNewer(stored.age, known.age))) return known;
  return { age: stored.age, bytes: new Uint8Array(await stored.response.arrayBuffer()) };
}

function ageOf({ headers }: Response): CrlAge {
  const seconds = (name: string): number => Number(headers.get(name)) || 0;
  return {
    thisUpdate: seconds(HEADERS.thisUpdate),
    nextUpdate: seconds(HEADERS.nextUpdate),
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
