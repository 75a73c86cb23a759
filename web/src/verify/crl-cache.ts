/**
 * CRLs that were fetched before. They serve until their nextUpdate when the address does not answer; while it does, it
 * is asked, since a revocation must show at once (HTTP's own cache saves the bytes).
 *
 * Kept in memory, and in browsers by the Cache API where the page may use it. What is kept is untrusted like anything
 * fetched: the core checks each CRL's signature.
 */

const STORE = "countersign-crls-1";
const DUE = "x-next-update";
/** Bytes kept in memory; the oldest go first. */
const MEMORY_BYTES = 64 * 1024 * 1024;

interface Kept {
  bytes: Uint8Array;
  nextUpdateSeconds: number;
}

const memory = new Map<string, Kept>();

/** Keeps a CRL that says when the next one is due. */
export async function keepCrl(url: string, kept: Kept): Promise<void> {
  memory.delete(url);
  memory.set(url, kept);
  let held = 0;
  for (const each of memory.values()) held += each.bytes.length;
  for (const [oldest, each] of memory) {
    if (held <= MEMORY_BYTES) break;
    memory.delete(oldest);
    held -= each.bytes.length;
  }
  const headers = { [DUE]: String(kept.nextUpdateSeconds), "content-type": "application/pkix-crl" };
  await withStore((store) => store.put(url, new Response(kept.bytes as BodyInit, { headers })));
}

/** A CRL from that address whose successor is not due yet. */
export async function keptCrl(url: string, nowSeconds: number): Promise<Uint8Array | undefined> {
  const known = memory.get(url);
  if (known && known.nextUpdateSeconds > nowSeconds) return known.bytes;
  return withStore(async (store) => {
    const response = await store.match(url);
    if (!response) return undefined;
    if (Number(response.headers.get(DUE)) > nowSeconds) return new Uint8Array(await response.arrayBuffer());
    await store.delete(url);
    return undefined;
  });
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
