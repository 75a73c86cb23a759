/**
 * CRLs that were seen before, the newest for each address and issuer, however old it is. In memory, and in browsers by
 * the Cache API where the page may use it. Which CRL is worth keeping is not decided here (kept-crls.ts), and the core
 * checks each one again.
 *
 * Memory is bounded, and strangers may have others' CRLs fetched. So a CRL that revokes a certificate that was asked about
 * goes for no other before it has run out, and of what goes, the age stays.
 */

const STORE = "countersign-crls-3";
const HEADERS = { thisUpdate: "x-this-update", number: "x-crl-number", absent: "x-crl-absent" } as const;
/** A page that the browser has put to sleep may hold a lock for ever. */
const LOCK_MILLISECONDS = 3_000;
/** Bytes kept in memory; the oldest go first. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Of how many places the newest age is remembered. */
const MOST_MARKS = 16_384;
/** For how long a CRL without nextUpdate is worth remembering: a year. */
const WITHOUT_NEXT_UPDATE_SECONDS = 366 * 24 * 60 * 60;

/** When a CRL was made, in seconds since 1970, and its number in Base64. */
export interface CrlAge {
  thisUpdate: number;
  number: string;
}

export interface KeptCrl {
  bytes: Uint8Array;
  age: CrlAge;
}

/** What a CRL says of the certificate that is asked about. */
export interface CrlSays {
  revokes: boolean;
  /** nextUpdate in seconds since 1970. */
  until: number | null;
}

/** What is remembered of the newest CRL of a place, longer than the CRL itself. */
interface Mark {
  age: CrlAge;
  /** Whether it revokes a certificate that was asked about. */
  revokes: boolean;
  until: number;
}

/** Where a CRL is kept; made by `slotOf`. */
export type Slot = string & { readonly kind: unique symbol };

const memory = new Map<Slot, KeptCrl>();
const marks = new Map<Slot, Mark>();
/** For each slot, when the last of those who write to the store is done. */
const turns = new Map<Slot, Promise<void>>();

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

/**
 * Keeps a CRL, unless a newer one is kept; the newest by then. Another verification may keep one at the same time, here
 * or in another page, so nothing comes between comparing and writing.
 */
export async function keepCrl(slot: Slot, crl: KeptCrl, says: CrlSays): Promise<KeptCrl> {
  remember(slot, crl, says);
  const before = turns.get(slot);
  const turn = (async () => {
    await before;
    await withLock(slot, () => store(slot, crl));
  })();
  turns.set(slot, turn);
  await turn;
  if (turns.get(slot) === turn) turns.delete(slot);
  return (await keptCrl(slot)) ?? crl;
}

/** Writes to the browser's store; for whoever has the slot for itself. */
async function store(slot: Slot, crl: KeptCrl): Promise<void> {
  await withStore(async (cache) => {
    const stored = await cache.match(slot);
    if (stored && !(isAbsent(stored) ? !isNewer(ageOf(stored), crl.age) : isNewer(crl.age, ageOf(stored)))) return;
    const headers = {
      "content-type": "application/pkix-crl",
      [HEADERS.thisUpdate]: String(crl.age.thisUpdate),
      [HEADERS.number]: crl.age.number,
    };
    try {
      await cache.put(slot, new Response(crl.bytes as BodyInit, { headers }));
    } catch {
      // There is no room for it; its age takes none.
      await cache.put(slot, new Response(null, { headers: { ...headers, [HEADERS.absent]: "1" } }));
    }
  });
}

/** Keeps other pages of this origin from the slot meanwhile. Where there are no locks, or none can be had, it does without. */
async function withLock(slot: Slot, use: () => Promise<void>): Promise<void> {
  let hasBegun = false;
  const begin = (): Promise<void> => {
    hasBegun = true;
    return use();
  };
  try {
    const locks = globalThis.caches && globalThis.navigator?.locks;
    if (locks) {
      await locks.request(`${STORE} ${slot}`, { signal: AbortSignal.timeout(LOCK_MILLISECONDS) }, begin);
    }
  } catch {
    // A page without an origin has no locks, or somebody holds this one for too long.
  }
  if (!hasBegun) await begin();
}

/** Keeps a CRL in memory, unless a newer one was seen: compared and written in one breath. */
function remember(slot: Slot, crl: KeptCrl, { revokes, until }: CrlSays): void {
  const seen = marks.get(slot);
  if (seen && isNewer(seen.age, crl.age)) return;
  if (!seen && !hasRoomForAMark()) return;
  const end = until ?? crl.age.thisUpdate + WITHOUT_NEXT_UPDATE_SECONDS;
  const mark = { age: crl.age, revokes: revokes || seen?.revokes === true, until: Math.max(end, seen?.until ?? end) };
  marks.set(slot, mark);
  const known = memory.get(slot);
  if (known && !isNewer(crl.age, known.age)) return;
  memory.delete(slot);
  memory.set(slot, crl);
  makeRoomFor(slot);
}

/** What revokes nothing goes first, then what has run out; what came goes if all else must stay. */
function makeRoomFor(newest: Slot): void {
  let held = 0;
  for (const each of memory.values()) held += each.bytes.length;
  if (held <= MEMORY_BYTES) return;
  const order = (["none", "lapsed"] as const).flatMap((one) =>
    [...memory.keys()].filter((each) => protection(each) === one),
  );
  for (const each of [...order, newest]) {
    if (held <= MEMORY_BYTES) return;
    held -= memory.get(each)?.bytes.length ?? 0;
    memory.delete(each);
  }
}

function protection(slot: Slot): "none" | "lapsed" | "current" {
  const mark = marks.get(slot);
  if (!mark?.revokes) return "none";
  return matters(mark) ? "current" : "lapsed";
}

/** Whether an older CRL can still be taken for the newest. */
function matters({ until }: Mark): boolean {
  return Date.now() / 1000 < until;
}

function hasRoomForAMark(): boolean {
  if (marks.size < MOST_MARKS) return true;
  for (const [slot, mark] of marks) if (!matters(mark) && !memory.has(slot)) marks.delete(slot);
  return marks.size < MOST_MARKS;
}

/** The newest CRL that was kept there, however old it is. */
export async function keptCrl(slot: Slot): Promise<KeptCrl | undefined> {
  const known = memory.get(slot);
  const stored = await withStore(async (cache) => {
    const response = await cache.match(slot);
    return response && !isAbsent(response) ? { age: ageOf(response), response } : undefined;
  });
  // Another page of this origin may have had a newer one.
  if (!stored || (known && !isNewer(stored.age, known.age))) return known;
  return { age: stored.age, bytes: new Uint8Array(await stored.response.arrayBuffer()) };
}

/** The age of the newest CRL that was seen there, if that one is not kept any more. */
export async function forgottenAge(slot: Slot): Promise<CrlAge | undefined> {
  const stored = await withStore(async (cache) => {
    const response = await cache.match(slot);
    return response && ageOf(response);
  });
  const marked = marks.get(slot)?.age;
  const seen = marked && stored ? (isNewer(stored, marked) ? stored : marked) : (marked ?? stored);
  const kept = await keptCrl(slot);
  return seen && (!kept || isNewer(seen, kept.age)) ? seen : undefined;
}

function isAbsent({ headers }: Response): boolean {
  return headers.has(HEADERS.absent);
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
  marks.clear();
  try {
    await globalThis.caches?.delete(STORE);
  } catch {
    // A page without an origin has no store.
  }
}

/** Pages from file://, private windows and Node have no store; then memory is all. */
async function withStore<T>(use: (cache: Cache) => Promise<T>): Promise<T | undefined> {
  try {
    const cache = await globalThis.caches?.open(STORE);
    return cache && (await use(cache));
  } catch {
    return undefined;
  }
}
