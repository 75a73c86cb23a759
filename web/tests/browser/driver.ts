/** A browser with one page open: what the tests do in it and see of it. The same for Chromium and Firefox. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer, { type Browser, type ElementHandle, type Page } from "puppeteer-core";

export type BrowserName = "chromium" | "firefox";

/** Within the element. */
export const INSIDE = "verify-download >>> ";

const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Containers have little of it, and a browser without memory is no verdict on the page.
  "--disable-dev-shm-usage",
];
const PATHS: Readonly<Record<BrowserName, string>> = {
  chromium: "/usr/bin/chromium",
  firefox: "/usr/bin/firefox-esr",
};
/** The machine may be busy; nothing waits for it but what is slow. */
const PATIENCE_MILLISECONDS = 60_000;

/** What a page did, as far as tests ask. */
export interface Trace {
  /** Every address that was asked for. */
  readonly requests: string[];
  /** What was written to the console as an error, and errors that nobody caught. */
  readonly troubles: string[];
}

export interface Verdict {
  readonly state: string;
  readonly headline: string;
  /** The whole verdict. */
  readonly text: string;
  readonly code: string | null;
  readonly role: string;
}

/** A browser with a fresh profile. */
export async function launch(name: BrowserName): Promise<{ browser: Browser; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), `countersign-${name}-`));
  const browser = await puppeteer.launch({
    browser: name === "chromium" ? "chrome" : "firefox",
    executablePath: PATHS[name],
    headless: true,
    userDataDir: profile,
    args: name === "chromium" ? CHROMIUM_FLAGS : [],
    protocolTimeout: 2 * PATIENCE_MILLISECONDS,
  });
  const close = async (): Promise<void> => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}

/** One page of a browser. */
export class Visit {
  private constructor(
    readonly page: Page,
    readonly trace: Trace,
  ) {}

  static async to(browser: Browser, address: string, prepare?: (visit: Visit) => Promise<void>): Promise<Visit> {
    const page = await browser.newPage();
    await page.setViewport({ width: 1000, height: 900 });
    page.setDefaultTimeout(PATIENCE_MILLISECONDS);
    const trace: Trace = { requests: [], troubles: [] };
    page.on("request", (request) => trace.requests.push(request.url()));
    page.on("pageerror", (error) => trace.troubles.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") trace.troubles.push(message.text());
    });
    const visit = new Visit(page, trace);
    await prepare?.(visit);
    await page.goto(address, { waitUntil: "load" });
    await visit.find("#file");
    return visit;
  }

  /** An element within the shadow root, once it is there. */
  async find(selector: string): Promise<ElementHandle> {
    const found = await this.page.waitForSelector(INSIDE + selector);
    if (found === null) throw new Error(`there is no ${selector}`);
    return found;
  }

  /** Chooses files as a reader does. */
  async choose(...paths: string[]): Promise<void> {
    const input = (await this.find("#file")) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(...paths);
  }

  /** Waits until the element shows something else than idle or working. */
  async verdict(which = 0): Promise<Verdict> {
    await this.page.waitForFunction(
      (index: number) => {
        const element = document.querySelectorAll("verify-download")[index] as { state?: string } | undefined;
        return element !== undefined && !["idle", "working"].includes(element.state ?? "idle");
      },
      {},
      which,
    );
    return this.page.evaluate((index: number) => {
      const element = document.querySelectorAll("verify-download")[index] as HTMLElement & {
        state: string;
        report: { code: string | null } | null;
      };
      const root = element.shadowRoot;
      const live = root?.querySelector<HTMLElement>(".live");
      return {
        state: element.state,
        headline: root?.querySelector<HTMLElement>(".headline")?.innerText ?? "",
        text: live?.innerText ?? "",
        code: element.report?.code ?? null,
        role: live?.getAttribute("role") ?? "",
      };
    }, which);
  }

  /** Chooses files in a field of the form for the reader's own. */
  async chooseOwn(field: string, ...paths: string[]): Promise<void> {
    await this.page.evaluate(() => {
      const form = document.querySelector("verify-download")?.shadowRoot?.querySelector<HTMLDetailsElement>(".own");
      if (form) form.open = true;
    });
    const input = (await this.find(`#${field}`)) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(...paths);
  }

  /** The state that the element is in. */
  current(): Promise<string> {
    return this.page.evaluate(() => (document.querySelector("verify-download") as unknown as { state: string }).state);
  }

  /** Waits until the element is in a state. */
  async state(wanted: string): Promise<void> {
    await this.page.waitForFunction(
      (state: string) => (document.querySelector("verify-download") as { state?: string } | null)?.state === state,
      {},
      wanted,
    );
  }

  /** Chooses files and gives the verdict on them. */
  async check(...paths: string[]): Promise<Verdict> {
    await this.page.evaluate(() => {
      (document.querySelector("verify-download") as unknown as { reset(): void }).reset();
    });
    await this.choose(...paths);
    return this.verdict();
  }

  textOf(element: ElementHandle): Promise<string> {
    return element.evaluate((found) => (found as HTMLElement).innerText.trim());
  }

  /** Waits until an element within the shadow root says something. */
  async waitForText(selector: string, text: RegExp): Promise<void> {
    await this.page.waitForFunction(
      (wanted: string, source: string) => {
        const found = document.querySelector("verify-download")?.shadowRoot?.querySelector<HTMLElement>(wanted);
        return found !== null && found !== undefined && new RegExp(source).test(found.innerText.trim());
      },
      {},
      selector,
      text.source,
    );
  }

  /** The class of what has the focus within the shadow root. */
  focused(): Promise<string> {
    return this.page.evaluate(
      () => document.querySelector("verify-download")?.shadowRoot?.activeElement?.className ?? "nothing",
    );
  }

  openDetails(): Promise<void> {
    return this.#eachDetails(true);
  }

  closeDetails(): Promise<void> {
    return this.#eachDetails(false);
  }

  #eachDetails(open: boolean): Promise<void> {
    return this.page.evaluate((wanted: boolean) => {
      const root = document.querySelector("verify-download")?.shadowRoot;
      for (const details of root?.querySelectorAll("details") ?? []) details.open = wanted;
    }, open);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
