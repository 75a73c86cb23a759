/** The browser that a run's flows share, each with a page of its own. */

import { type TestContext, test } from "node:test";
import type { Browser } from "puppeteer-core";
import { type BrowserName, Visit } from "./driver.js";
import { pageAddress } from "./setting.js";

export interface Stand {
  readonly name: BrowserName;
  browser: Browser | undefined;
}

/** How a flow begins. */
export interface Beginning {
  readonly address?: string;
  /** Where only Chromium can be driven that way, or one browser is enough. */
  readonly only?: BrowserName;
  /** Before the page's own scripts. */
  readonly prepare?: (visit: Visit) => Promise<void>;
}

/** A flow on a fresh page. */
export function flow(
  stand: Stand,
  name: string,
  beginning: Beginning,
  run: (visit: Visit, context: TestContext) => Promise<void>,
): void {
  if (beginning.only !== undefined && beginning.only !== stand.name) return;
  test(name, { timeout: 120_000 }, async (context) => {
    if (stand.browser === undefined) throw new Error("the browser was not started");
    const visit = await Visit.to(stand.browser, beginning.address ?? pageAddress, beginning.prepare);
    try {
      await run(visit, context);
    } finally {
      await visit.close();
    }
  });
}
