/** What is true of the page whatever it shows: no scrolling sideways, nothing that axe finds, no strange request. */

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Visit } from "./driver.js";
import { pageAddress, revocationOrigins, screenshotFolder } from "./setting.js";

const NARROW = 320;

/** Light, dark and narrow. */
export async function screenshots(visit: Visit, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  const { page } = visit;
  const shoot = (kind: string): Promise<unknown> =>
    page.screenshot({ path: join(screenshotFolder, `${name}-${kind}.png`) });
  await page.evaluate(() => scrollTo(0, 0));
  await shoot("light");
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await shoot("dark");
  await page.emulateMediaFeatures([]);
  await page.setViewport({ width: NARROW, height: 900 });
  await shoot("narrow");
  await page.setViewport({ width: 1000, height: 900 });
}

/** The element from top to bottom. */
export async function wholeScreenshot(visit: Visit, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  const element = await visit.page.$("verify-download");
  await element?.screenshot({ path: join(screenshotFolder, `${name}-light.png`) });
  const chain = await visit.find(".block:has(.chain)");
  await chain.screenshot({ path: join(screenshotFolder, `${name}-chain.png`) });
}

/** At 320 pixels nothing reaches beyond the edge. */
export async function assertFitsNarrow(visit: Visit, what: string): Promise<void> {
  await visit.page.setViewport({ width: NARROW, height: 900 });
  const beyond = await visit.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { width: window.innerWidth, beyond: scrollWidth - clientWidth };
  });
  await visit.page.setViewport({ width: 1000, height: 900 });
  assert.deepEqual(beyond, { width: NARROW, beyond: 0 }, what);
}

/** axe-core, in light and in dark. */
export async function assertAccessible(visit: Visit, what: string): Promise<void> {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const scheme of ["light", "dark"]) {
    await visit.page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: scheme },
      // Colours on their way from one scheme to the other are nobody's contrast.
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    // Through the debugger, which the page's policy does not concern.
    const session = await visit.page.createCDPSession();
    await session.send("Runtime.evaluate", { expression: axe });
    const { result } = await session.send("Runtime.evaluate", {
      expression:
        "axe.run(document).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])))",
      awaitPromise: true,
    });
    await session.detach();
    assert.equal(result.value, "[]", `${what}, ${scheme}`);
  }
  await visit.page.emulateMediaFeatures([]);
}

/** Nothing was asked of anybody but the page's own server and the named revocation services. */
export function assertOnlyNamed(visit: Visit): void {
  const allowed = [new URL(pageAddress).origin, ...revocationOrigins];
  const strange = visit.trace.requests.filter((address) => {
    const { protocol, origin } = new URL(address);
    return protocol !== "data:" && protocol !== "blob:" && !allowed.includes(origin);
  });
  assert.deepEqual(strange, []);
}

/** No error was written, apart from servers that do not answer on purpose. */
export function assertNoTrouble(visit: Visit): void {
  const meant = /ERR_CONNECTION_REFUSED|status of 404/;
  assert.deepEqual(
    visit.trace.troubles.filter((trouble) => !meant.test(trouble)),
    [],
  );
}
