/** What keeps a check from running on a site or in a browser: said to the visitor, and to the site's owner what to change. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Visit } from "./driver.js";
import { assertAccessible, screenshots } from "./observations.js";
import { distFolder, download, pageAddress, releaseFolder, writePage } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const ELEMENT = `<verify-download src="app-2.1" name="App" version="2.1"></verify-download>`;

/** A stricter policy beside the server's: both must allow what is done. */
function policy(text: string): string {
  return `<meta http-equiv="Content-Security-Policy" content="${text}">`;
}

interface Blocked {
  readonly code: string;
  readonly visitor: RegExp;
  /** What the report names, and the console for the site's owner. */
  readonly owner: RegExp;
}

async function assertBlocked(visit: Visit, { code, visitor, owner }: Blocked): Promise<void> {
  await visit.choose(download("app-2.1"));
  const verdict = await visit.verdict();
  assert.equal(verdict.state, "not-checked");
  assert.equal(verdict.code, code);
  assert.match(verdict.text, visitor);
  assert.doesNotMatch(verdict.text, /made a mistake|Check your connection|couldn’t reach/);
  await visit.openDetails();
  assert.match(await visit.textOf(await visit.find("[part=details]")), owner);
}

function assertOwnerTold({ trace }: Visit, owner: RegExp): void {
  const told = trace.troubles.filter((trouble) => trouble.startsWith("Countersign: "));
  assert.ok(
    told.some((trouble) => owner.test(trouble)),
    `${told}`,
  );
}

/** The element in a folder of its own, with its module changed. */
async function place(name: string, change: (module: string) => Promise<void>): Promise<string> {
  const folder = join(releaseFolder, name);
  await mkdir(folder, { recursive: true });
  await cp(join(distFolder, "element"), folder, { recursive: true });
  for (const file of await readdir(folder, { recursive: true })) {
    if (file.endsWith(".wasm")) await change(join(folder, file));
  }
  return writePage(`${name}.html`, ELEMENT, "", `./${name}/verify-download.js`);
}

export function blockedFlows(stand: Stand): void {
  const settings = /settings keep the check from running\. Neither your connection nor your file is at fault/;
  const cases: readonly (readonly [string, string, Blocked])[] = [
    [
      "without wasm-unsafe-eval",
      "script-src 'self'",
      {
        code: "setup.site.blocked",
        visitor: settings,
        owner: /script-src with 'wasm-unsafe-eval'/,
      },
    ],
    [
      "that lets nothing be fetched",
      "connect-src 'none'",
      {
        code: "setup.site.blocked",
        visitor: settings,
        owner: /connect-src with 'self'/,
      },
    ],
  ];
  for (const [kind, text, blocked] of cases) {
    flow(stand, `a policy ${kind}`, {}, async (visit) => {
      await visit.page.goto(await writePage("blocked.html", ELEMENT, policy(text)));
      await assertBlocked(visit, blocked);
      assertOwnerTold(visit, blocked.owner);
      if (stand.name === "chromium") {
        await assertAccessible(visit, kind);
        await screenshots(visit, "blocked");
      }
    });
  }

  const missing: readonly (readonly [string, (module: string) => Promise<void>, RegExp])[] = [
    ["missing", (module) => rm(module), /HTTP 404/],
    ["another", (module) => writeFile(module, "<html>Log in</html>"), /another file/],
  ];
  for (const [kind, change, owner] of missing) {
    flow(stand, `a module that is ${kind}`, {}, async (visit) => {
      await visit.page.goto(await place(`module-${kind}`, change));
      await assertBlocked(visit, { code: "setup.site.file-missing", visitor: /missing from this site/, owner });
      assertOwnerTold(visit, owner);
    });
  }

  flow(stand, "a trust root that is missing", {}, async (visit) => {
    const element = ELEMENT.replace(" name=", ' trust="gone/trusted_root.json" name=');
    await visit.page.goto(await writePage("no-trust.html", element));
    const owner = /gone\/trusted_root\.json/;
    await assertBlocked(visit, {
      code: "setup.site.file-missing",
      visitor: /missing from this site: http\S+gone\/trusted_root\.json\. Tell the site’s owner/,
      owner,
    });
    assertOwnerTold(visit, owner);
  });

  const locked = {
    prepare: ({ page }: Visit) =>
      page
        .evaluateOnNewDocument(() => {
          delete (window as { WebAssembly?: unknown }).WebAssembly;
        })
        .then(() => undefined),
  };
  flow(stand, "a browser without WebAssembly", locked, (visit) =>
    assertBlocked(visit, {
      code: "setup.browser.unsupported",
      visitor: /This browser can’t run the check/,
      owner: /no WebAssembly/,
    }),
  );

  flow(
    stand,
    "without script the page lists the downloads, and says why there is no check",
    { only: "chromium" },
    async (visit) => {
      const folder = join(releaseFolder, "no-script");
      await mkdir(folder, { recursive: true });
      await cp(join(distFolder, "page"), folder, { recursive: true });
      const files = [{ file: "app-2.1", name: "App <b>", version: "2.1" }, { file: "notes.txt" }];
      await writeFile(join(folder, "releases.json"), JSON.stringify({ version: 1, files }));
      execFileSync(process.execPath, ["list-downloads.mjs", folder]);
      const address = new URL("no-script/index.html", pageAddress).href;
      await visit.page.setJavaScriptEnabled(false);
      await visit.page.goto(address);
      const text = await visit.page.$eval("main", (main) => main.innerText);
      assert.match(text, /Checking a file here needs JavaScript/);
      assert.match(text, /App <b> 2\.1 \(signature\)\s+notes\.txt \(signature\)/);
      const links = await visit.page.$$eval("main a", (all) => all.map((link) => link.getAttribute("href")));
      assert.deepEqual(links, ["app-2.1", "app-2.1.sigstore.json", "notes.txt", "notes.txt.sigstore.json"]);
      await visit.page.setJavaScriptEnabled(true);
      await visit.page.goto(`${address}?again`);
      await visit.page.waitForSelector(".download-actions");
      assert.equal(await visit.page.$("#downloads-without-script"), null);
      assert.doesNotMatch(await visit.page.$eval("main", (main) => main.innerText), /needs JavaScript/);
    },
  );
}
