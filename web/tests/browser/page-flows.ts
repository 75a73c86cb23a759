/** The page in other folders: without a list of downloads, with a list that deceives, with one that is none. */

import assert from "node:assert/strict";
import { appendFile, copyFile, cp, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Visit } from "./driver.js";
import { assertAccessible, assertFitsNarrow, assertNoTrouble, assertOnlyNamed } from "./observations.js";
import { distFolder, download, pageAddress, releaseFolder } from "./setting.js";
import { type Stand, flow } from "./stand.js";

/** The page in a folder of its own, with a list or without. */
async function place(name: string, list: unknown): Promise<string> {
  const folder = join(releaseFolder, name);
  await mkdir(folder, { recursive: true });
  await cp(join(distFolder, "page"), folder, { recursive: true });
  for (const file of ["trusted_root.json", "policy.json", "app-2.0.sigstore.json"]) {
    await copyFile(download(file), join(folder, file));
  }
  if (list !== undefined) await writeFile(join(folder, "releases.json"), JSON.stringify(list));
  return new URL(`${name}/index.html`, pageAddress).href;
}

/** Keeps `releases.json` from the page until its `releaseList` is called. */
async function holdList({ page }: Visit): Promise<void> {
  await page.evaluateOnNewDocument(() => {
    const released = new Promise<void>((resolve) => Object.assign(window, { releaseList: resolve }));
    const fetchAtOnce = window.fetch.bind(window);
    window.fetch = async (what, how) => {
      if (what === "releases.json") await released;
      return fetchAtOnce(what, how);
    };
  });
}

export function pageFlows(stand: Stand): void {
  flow(stand, "a folder of bundles is enough", {}, async (visit) => {
    // Without a list of its own; the server has none above either, for addresses are looked up whole.
    await visit.page.goto(await place("plain", undefined));
    await visit.find("input[type=file]");
    await visit.page.waitForSelector(".about");
    await visit.choose(download("app-2.0"));
    assert.match((await visit.verdict()).headline, /genuine app-2\.0/);
    assertOnlyNamed(visit);
    assertNoTrouble(visit);
  });

  flow(stand, "an old release under a new name is called by the name that was signed", {}, async (visit) => {
    const { size } = await stat(download("app-2.0"));
    const files = [{ file: "app-2.0", size }];
    await visit.page.goto(await place("renamed", { version: 1, files }));
    await visit.page.waitForSelector(".download");
    const renamed = join(releaseFolder, "app-3.0");
    await copyFile(download("app-2.0"), renamed);
    await visit.choose(renamed);
    const { headline, text } = await visit.verdict();
    assert.match(headline, /genuine app-2\.0/);
    assert.match(text, /published as app-2\.0/);
    const told = await visit.page.evaluate(() => {
      const { report } = document.querySelector("verify-download") as unknown as {
        report: { artifact: { name: string }; findings: { code: string }[] };
      };
      return [report.artifact.name, ...report.findings.map((finding) => finding.code)];
    });
    assert.ok(told[0] === "app-3.0" && told.includes("content.name-differs"), told.join(" "));
    // Nor does the list help: what it offers as the new release was signed as the old one.
    await visit.page.goto(await place("relabelled", { version: 1, files: [{ file: "app-3.0", size }] }));
    await visit.page.waitForSelector(".download");
    await copyFile(download("app-2.0.sigstore.json"), join(releaseFolder, "relabelled", "app-3.0.sigstore.json"));
    await visit.choose(download("app-2.0"));
    assert.equal((await visit.verdict()).code, "content.name.other");
  });

  flow(stand, "hostile names in a list are shown as text", {}, async (visit) => {
    const names = ["<script>alert(1)</script>", "safe\u202egnp.exe", "x".repeat(100_000)];
    const files = names.map((name, index) => ({ file: `file-${index}`, name, note: name, version: name }));
    await visit.page.goto(await place("hostile", { version: 1, title: names.join(" "), files }));
    await visit.page.waitForSelector(".download");
    const { text, strays } = await visit.page.evaluate(() => ({
      text: document.body.innerText,
      strays: document.querySelectorAll("li script, h2 script").length,
    }));
    assert.equal(strays, 0);
    assert.match(text, /<script>alert\(1\)<\/script>/);
    assert.match(text, /safe\\u\{202e\}gnp\.exe/);
    assert.ok(text.length < 10_000, `${text.length} characters`);
    await assertFitsNarrow(visit, "a hostile list");
    if (stand.name === "chromium") await assertAccessible(visit, "a hostile list");
    assertNoTrouble(visit);
  });

  flow(stand, "a file that is chosen before the list is there waits for it", { prepare: holdList }, async (visit) => {
    await visit.choose(download("app-2.0"));
    await visit.page.evaluate(() => (window as unknown as { releaseList(): void }).releaseList());
    assert.match((await visit.verdict()).headline, /genuine App 2\.0/);
    assertNoTrouble(visit);
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    [
      "an address that runs a script",
      { version: 1, files: [{ file: "javascript:alert(1)" }] },
      /files\[0\]\.file: an http/,
    ],
    ["another version", { version: 2, files: [] }, /version: 1 was expected/],
    ["no list", { version: 1, files: 7 }, /files: a list was expected/],
  ];
  for (const [kind, list, said] of refused) {
    flow(stand, `${kind} is refused, and says why`, { only: "chromium" }, async (visit) => {
      await visit.page.goto(await place("refused", list));
      const trouble = await visit.page.waitForSelector(".trouble[role=alert]");
      assert.match((await trouble?.evaluate((element) => element.textContent)) ?? "", said);
    });
  }

  for (const script of ["index", "check"]) {
    flow(stand, `a changed ${script} script does not run`, {}, async (visit) => {
      const folder = `changed-${script}`;
      const address = await place(folder, undefined);
      const assets = join(releaseFolder, folder, "assets");
      const file = (await readdir(assets)).find((name) => name.startsWith(`${script}-`) && name.endsWith(".js"));
      assert.ok(file, `there is a ${script} script`);
      const isDefined = () => visit.page.evaluate(() => customElements.get("verify-download") !== undefined);
      await visit.page.goto(address, { waitUntil: "load" });
      assert.ok(await isDefined());
      await appendFile(join(assets, file), " ");
      await visit.page.goto(`${address}?again`, { waitUntil: "load" });
      assert.ok(!(await isDefined()));
    });
  }
}
