/** The one-file page from a disk: everything that it needs is chosen. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ElementHandle } from "puppeteer-core";
import { screenshots } from "./observations.js";
import { crlFolder, distFolder, download, revocationOrigins } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const address = pathToFileURL(join(distFolder, "offline", "countersign-verify.html")).href;

export function offlineFlows(stand: Stand): void {
  flow(stand, "verifies from file:// with chosen files", { address }, async (visit) => {
    const crls = (await readdir(crlFolder)).map((name) => join(crlFolder, name));
    const put = async (id: string, ...paths: string[]): Promise<void> => {
      const input = (await visit.page.waitForSelector(id)) as ElementHandle<HTMLInputElement> | null;
      await input?.uploadFile(...paths);
    };
    await put("#own-trust", download("trusted_root.json"));
    await put("#own-policy", download("policy.json"));
    await put("#own-crls", ...crls);
    const genuine = await visit.check(download("app-2.1"), download("app-2.1.sigstore.json"));
    assert.match(genuine.headline, /genuine app-2\.1, published by Example Software/);
    const changed = await visit.check(download("app-2.1-changed"), download("app-2.1-changed.sigstore.json"));
    assert.equal(changed.code, "content.mismatch");
    const asked = visit.trace.requests.filter((each) => /^https?:/.test(each));
    const strange = asked.filter((each) => !revocationOrigins.includes(new URL(each).origin));
    assert.deepEqual(strange, []);
    const hadWorker = visit.page.workers().length > 0 || stand.name === "firefox";
    assert.ok(hadWorker, "the hashing has a thread of its own");
    assert.deepEqual(visit.trace.troubles, []);
    if (stand.name === "chromium") await screenshots(visit, "offline");
  });

  flow(stand, "says what is missing", { address, only: "chromium" }, async (visit) => {
    await visit.choose(download("app-2.1"));
    await visit.waitForText(".remark", /choose a trust root and a policy below first/);
  });
}
