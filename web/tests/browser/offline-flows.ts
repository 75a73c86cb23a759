/** The one-file page from a disk: everything that it needs is chosen. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { INSIDE } from "./driver.js";
import { assertAccessible, screenshots } from "./observations.js";
import { attackFiles, crlFolder, distFolder, download, revocationOrigins } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const address = pathToFileURL(join(distFolder, "offline", "countersign-verify.html")).href;

export function offlineFlows(stand: Stand): void {
  flow(stand, "verifies from file:// with chosen files", { address }, async (visit) => {
    const crls = (await readdir(crlFolder)).map((name) => join(crlFolder, name));
    await visit.chooseOwn("own-trust", download("trusted_root.json"));
    await visit.chooseOwn("own-policy", download("policy.json"));
    await visit.chooseOwn("own-crls", ...crls);
    const genuine = await visit.check(download("app-2.1"), download("app-2.1.sigstore.json"));
    assert.equal(genuine.state, "verified-own");
    assert.match(genuine.text, /^Checked against your trust root and policy\.\s+Matches your files/);
    assert.match(genuine.headline, /^By your files, Example Software signed app-2\.1 on \d+ \w+ \d{4}\.$/);
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

  flow(stand, "says what it needs, and takes no trust from a drop", { address }, async (visit) => {
    const form = await visit.find(".own");
    assert.match(
      await visit.textOf(form),
      /This page comes without a trust root and a policy\. Get both from the publisher/,
    );
    await visit.choose(...(await attackFiles()));
    await visit.waitForText(".remark", /^First choose a trust root and a policy below/);
    const remarks = await visit.page.$$eval(`${INSIDE}.remark`, (all) =>
      all.map((each) => each.textContent).join("\n"),
    );
    assert.match(remarks, /trusted_root\.json was not used\./);
    assert.match(remarks, /policy\.json was not used\./);
    assert.equal(await visit.current(), "idle");
    if (stand.name === "chromium") await assertAccessible(visit, "offline, nothing chosen");
  });
}
