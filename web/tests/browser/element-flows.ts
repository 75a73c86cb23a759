/** The element on somebody's own page: attributes, events, several at once, conventions. */

import assert from "node:assert/strict";
import { assertAccessible, assertNoTrouble, assertOnlyNamed } from "./observations.js";
import { download, writePage } from "./setting.js";
import { type Stand, flow } from "./stand.js";
import type { ElementHandle } from "puppeteer-core";

interface Heard {
  readonly name: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export function elementFlows(stand: Stand): void {
  flow(stand, "two on one page keep to themselves", {}, async (visit) => {
    const address = await writePage(
      "two.html",
      `<verify-download src="app-2.1" name="App" version="2.1"></verify-download>
       <verify-download src="app-1.8" name="App" version="1.8"></verify-download>`,
    );
    await visit.page.goto(address);
    await visit.find("input[type=file]");
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- its type comes from the selector, which has none
    const inputs = (await visit.page.$$("verify-download >>> input[type=file]")) as ElementHandle<HTMLInputElement>[];
    assert.equal(inputs.length, 2);
    await inputs[0]?.uploadFile(download("app-2.1"));
    await inputs[1]?.uploadFile(download("app-1.8"));
    assert.match((await visit.verdict(0)).headline, /genuine App 2\.1/);
    assert.equal((await visit.verdict(1)).code, "revocation.revoked");
    assertOnlyNamed(visit);
    assertNoTrouble(visit);
    if (stand.name === "chromium") await assertAccessible(visit, "two elements");
  });

  flow(stand, "events tell what happens", {}, async (visit) => {
    const address = await writePage("events.html", `<verify-download src="app-2.1"></verify-download>`);
    await visit.page.goto(address);
    await visit.find("input[type=file]");
    await visit.page.evaluate(() => {
      const heard: unknown[] = [];
      (window as unknown as { heard: unknown }).heard = heard;
      for (const name of ["vd-progress", "vd-step", "vd-verdict", "vd-error"]) {
        document.addEventListener(name, (event) =>
          heard.push({ name, detail: (event as CustomEvent<unknown>).detail }),
        );
      }
    });
    await visit.choose(download("app-2.1"));
    await visit.verdict();
    const heard = await visit.page.evaluate(() => (window as unknown as { heard: Heard[] }).heard);
    const names = new Set(heard.map(({ name }) => name));
    assert.deepEqual([...names].toSorted(), ["vd-progress", "vd-step", "vd-verdict"]);
    const last = heard.at(-1);
    assert.equal(last?.name, "vd-verdict");
    assert.equal(last?.detail["verdict"], "verified");
    assert.equal(last?.detail["code"], null);
    assert.equal((last?.detail["checks"] as unknown[] | undefined)?.length, 5);
  });

  flow(stand, "without a signature nothing passes", {}, async (visit) => {
    const address = await writePage("none.html", `<verify-download></verify-download>`);
    await visit.page.goto(address);
    await visit.find("input[type=file]");
    await visit.choose(download("releases.json"));
    const verdict = await visit.verdict();
    assert.equal(verdict.code, "bundle.not-found");
    assert.match(verdict.text, /choose its signature file \(releases\.json\.sigstore\.json\)/i);
  });

  flow(stand, "an address that runs a script becomes no link", { only: "chromium" }, async (visit) => {
    const address = await writePage("script.html", `<verify-download src="javascript:alert(1)"></verify-download>`);
    await visit.page.goto(address);
    await visit.find("input[type=file]");
    assert.equal(await visit.page.$("verify-download >>> a"), null);
    assertNoTrouble(visit);
  });

  flow(stand, "another language takes the place of English", { only: "chromium" }, async (visit) => {
    const address = await writePage("lang.html", `<verify-download lang="x-test"></verify-download>`);
    await visit.page.goto(address);
    await visit.find("input[type=file]");
    await visit.page.evaluate(async () => {
      const script: string = "/verify-download.js";
      const module = (await import(script)) as {
        english: { panel: Record<string, string> };
        registerWords(language: string, words: unknown): void;
      };
      const { english } = module;
      module.registerWords("x-test", { ...english, panel: { ...english.panel, choose: "Wähle die Datei." } });
      document.querySelector("verify-download")?.setAttribute("lang", "x-test");
    });
    await visit.waitForText(".choose-line", /^Wähle die Datei\.$/);
  });
}
