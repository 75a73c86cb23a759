/** Starts the page: the element, the downloads of `releases.json`, and the reader's own files. */

import { html } from "../element/nodes.js";
import { sourcesFromAttributes } from "../element/sources.js";
import { type VerifyDownload, defineElement } from "../element/verify-download.js";
import { plain, sentence } from "../words/sentence.js";
import { type Words, wordsFor } from "../words/words.js";
import { listingView } from "./listing.js";
import { matchDownload } from "./matching.js";
import { ownView } from "./own.js";
import { type Release, decodeRelease } from "./release.js";

const RELEASES = "releases.json";
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
  const own = ownView(words, isOffline ? "nothing" : "everything", (sources) => {
    check.sources = sources;
  });
  const about = html("p", { class: "about" }, words.page.about);
  place.append(own, about);
  if (isOffline) {
    check.resolver = (file) => offlineSources(check, file);
    return;
  }
  const release = await loadRelease(words, place, about);
  if (release !== null) offer(release, check, own);
}

function offer(release: Release, check: VerifyDownload, before: HTMLElement): void {
  const listing = listingView(release, words, {
    save: (download) => {
      void check.save(download.address, download.sources);
    },
    checkAs: (download) => {
      if (check.unmatched !== null) void check.check(check.unmatched, download.sources);
      listing.ask("none");
    },
  });
  before.before(listing.element);
  check.resolver = async (file) => {
    listing.ask("none");
    return (await matchDownload(release, file))?.sources ?? null;
  };
  check.addEventListener("vd-unmatched", () => listing.ask("which"));
}

/** The list beside the page; null without one, which is fine. */
async function loadRelease(
  { page }: Words,
  place: HTMLElement,
  before: HTMLElement,
): Promise<Release | null> {
  const say = (text: string): void => before.before(html("p", { class: "about", role: "status" }, text));
  let response: Response;
  try {
    response = await fetch(RELEASES, { referrerPolicy: "no-referrer", cache: "no-cache" });
  } catch (error) {
    say(plain(page.badReleases, { message: String(error) }));
    return null;
  }
  if (response.status === 404) {
    say(page.noReleases);
    return null;
  }
  try {
    if (!response.ok) throw new Error(String(response.status));
    return decodeRelease(await response.json(), new URL(RELEASES, document.baseURI));
  } catch (error) {
    place.append(html("p", { class: "trouble", role: "alert" }, sentence(page.badReleases, { message: String(error) })));
    return null;
  }
}

/** From a file there is nothing to fetch: the reader chooses everything. */
async function offlineSources(
  check: VerifyDownload,
  file: File,
): Promise<ReturnType<typeof sourcesFromAttributes>> {
  if (check.sources.trust === undefined || check.sources.policy === undefined) {
    throw new Error(words.page.ownMissing);
  }
  return sourcesFromAttributes(check, file);
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
