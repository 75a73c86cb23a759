/** Starts the page: the element, and the downloads of `releases.json`. */

import { html } from "../drawing/nodes.js";
import { type Resolver, sourcesFromAttributes } from "../element/sources.js";
import { type VerifyDownload, defineElement } from "../element/verify-download.js";
import { sentence } from "../words/sentence.js";
import { type Words, wordsFor } from "../words/words.js";
import { listingView } from "./listing.js";
import { matchDownload } from "./matching.js";
import { type Release, decodeRelease } from "./release.js";

/** What the page offers for download, and how a chosen file's sources are found among it. */
interface Offered {
  readonly element: HTMLElement;
  readonly find: Resolver;
}

const RELEASES = "releases.json";
/** A chosen file waits for the list, and must not wait for a server that never answers. */
const LIST_TIMEOUT_MS = 20_000;
const isOffline = location.protocol === "file:";

const words = wordsFor(document.documentElement.lang);

/** Starts it; the engine's parts were named before. */
export function startPage(): void {
  defineElement();
  const main = document.querySelector("main");
  const element = document.querySelector<VerifyDownload>("verify-download");
  if (main !== null && element !== null) void start(main, element);
}

async function start(place: HTMLElement, check: VerifyDownload): Promise<void> {
  keepStrayDropsHere();
  writeWords();
  document.querySelector("#downloads-without-script")?.remove();
  check.setAttribute("own-trust", isOffline ? "only" : "");
  if (isOffline) {
    place.append(html("p", { class: "about" }, words.page.aboutOffline));
    return;
  }
  const offering = offered(check);
  // A reader may be quicker than the list; what it says of their file is waited for.
  check.resolver = async (file) => (await offering).find(file);
  // All at once, so that nothing moves down later.
  place.append((await offering).element, html("p", { class: "about" }, words.page.about));
}

async function offered(check: VerifyDownload): Promise<Offered> {
  const loaded = await loadRelease(words);
  if ("release" in loaded) return offer(loaded.release, check);
  return { element: loaded.remark, find: async (file) => sourcesFromAttributes(check, file) };
}

function offer(release: Release, check: VerifyDownload): Offered {
  const listing = listingView(release, words, {
    save: (download) => {
      void check.save(download.address, download.sources);
    },
    checkAs: (download) => {
      if (check.unmatched !== null) void check.check(check.unmatched, download.sources);
      listing.ask("none");
    },
  });
  check.addEventListener("vd-unmatched", () => {
    if (check.unmatched !== null) listing.ask("which");
  });
  const find: Resolver = async (file) => {
    listing.ask("none");
    return (await matchDownload(release, file))?.sources ?? null;
  };
  return { element: listing.element, find };
}

/** The list beside the page, or why there is none; a page without one serves files by their names. */
async function loadRelease({ page }: Words): Promise<{ release: Release } | { remark: HTMLElement }> {
  try {
    const response = await fetch(RELEASES, {
      referrerPolicy: "no-referrer",
      cache: "no-cache",
      signal: AbortSignal.timeout(LIST_TIMEOUT_MS),
    });
    if (response.status === 404) return { remark: html("p", { class: "about" }, page.noReleases) };
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return { release: decodeRelease(await response.json(), new URL(RELEASES, document.baseURI)) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remark = html("p", { class: "trouble", role: "alert" }, sentence(page.badReleases, { message }));
    return { remark };
  }
}

/** The document has its English words already, for readers without scripts. */
function writeWords(): void {
  document.title = words.page.title;
  const [heading, lead] = [document.querySelector("h1"), document.querySelector(".lead")];
  if (heading !== null) heading.textContent = words.page.title;
  if (lead !== null) lead.textContent = words.page.lead;
}

/** A file that is dropped beside the chooser must not replace the page. */
function keepStrayDropsHere(): void {
  for (const kind of ["dragover", "drop"] as const) {
    window.addEventListener(kind, (event) => {
      const [target] = event.composedPath();
      const isInput = target instanceof HTMLInputElement && target.type === "file";
      if (!isInput) event.preventDefault();
    });
  }
}
