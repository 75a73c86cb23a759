/** Choosing: renamed files, signatures, large files and a way out, the keyboard alone. */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { ElementHandle } from "puppeteer-core";
import { INSIDE } from "./driver.js";
import { assertAccessible, screenshots } from "./observations.js";
import { download, sparseFile, withFolder } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const GIBIBYTE = 1024 ** 3;

export function fileFlows(stand: Stand): void {
  flow(stand, "a second download with a number in its name is known", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "app-2.1 (1)");
      await copyFile(download("app-2.1"), path);
      await visit.choose(path);
      const verdict = await visit.verdict();
      assert.match(verdict.headline, /genuine App 2\.1/);
    }),
  );

  flow(stand, "a renamed file is known by its size", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "program.bin");
      await copyFile(download("app-2.1"), path);
      await visit.choose(path);
      assert.equal((await visit.verdict()).state, "verified");
    }),
  );

  flow(stand, "an unknown file is asked about", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "other");
      await sparseFile(path, 12_345);
      await visit.page.waitForSelector(".download");
      await visit.choose(path);
      const remark = await visit.find(".remark");
      assert.match(await visit.textOf(remark), /Which download is other\?/);
      await assertAccessible(visit, "unmatched");
      await visit.page.click(".choice:not([hidden])");
      assert.equal((await visit.verdict()).code, "content.incomplete");
    }),
  );

  flow(stand, "a signature may come before its file, or with it", { only: "chromium" }, async (visit) => {
    await visit.choose(download("app-2.0.sigstore.json"));
    assert.match(await visit.textOf(await visit.find(".remark")), /app-2\.0\.sigstore\.json is a signature/);
    await visit.choose(download("app-2.1"));
    assert.equal((await visit.verdict()).code, "content.other-file");
    const both = await visit.check(download("app-2.1"), download("app-2.1.sigstore.json"));
    assert.equal(both.state, "verified");
  });

  flow(stand, "2 GiB are read in pieces and can be cancelled", {}, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "notes.txt");
      await sparseFile(path, 2 * GIBIBYTE);
      await visit.choose(path);
      await visit.state("working");
      await visit.waitForText(".working-line", /^Checking… [\d.]+( \w+)? of 2\.1 GB, about \d+\s\w+ left\.$/);
      if (stand.name === "chromium") await screenshots(visit, "working");
      const cancel = (await visit.find("[part=cancel]")) as ElementHandle<HTMLButtonElement>;
      await cancel.click();
      await visit.state("idle");
      await visit.waitForText(".remark", /^Cancelled\. Nothing was checked\.$/);
      assert.equal(await visit.focused(), "file", "one can choose again");
    }),
  );

  flow(stand, "2 GiB are read to the end", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "notes.txt");
      await sparseFile(path, 2 * GIBIBYTE);
      await visit.choose(path);
      assert.equal((await visit.verdict()).code, "content.mismatch");
    }),
  );

  flow(stand, "the keyboard alone is enough", { only: "chromium" }, async (visit) => {
    const { keyboard } = visit.page;
    await keyboard.press("Tab");
    assert.equal(await visit.focused(), "file");
    const choosing = visit.page.waitForFileChooser();
    // The browser answers in order: from here on it hands its choosers to us instead of to a desktop.
    await visit.focused();
    await keyboard.press("Enter");
    await (await choosing).accept([download("app-2.1")]);
    assert.equal((await visit.verdict()).state, "verified");
    assert.equal(await visit.focused(), "headline");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    assert.ok(await visit.page.$(`${INSIDE}details[open]`), "the details are open");
  });

  flow(stand, "a file is dropped, and one that misses does no harm", { only: "chromium" }, async (visit) => {
    const drop = async (x: number, y: number): Promise<void> => {
      const session = await visit.page.createCDPSession();
      const data = { items: [], files: [download("app-2.1")], dragOperationsMask: 1 };
      for (const type of ["dragEnter", "dragOver", "drop"] as const) {
        await session.send("Input.dispatchDragEvent", { type, x, y, data });
      }
      await session.detach();
    };
    const before = visit.page.url();
    await drop(20, 20);
    const box = await (await visit.find(".chooser")).boundingBox();
    assert.ok(box !== null);
    await drop(box.x + box.width / 2, box.y + box.height / 2);
    assert.equal((await visit.verdict()).state, "verified");
    assert.equal(visit.page.url(), before);
  });

  flow(stand, "the report is copied or can be copied by hand", {}, async (visit) => {
    await visit.choose(download("app-2.1"));
    await visit.verdict();
    const copy = (await visit.find("[part=report] button")) as ElementHandle<HTMLButtonElement>;
    await copy.click();
    await visit.waitForText("[part=report] .said", /^Copied\.$|^Copying is not allowed here/);
    const area = (await visit.find("[part=report] textarea")) as ElementHandle<HTMLTextAreaElement>;
    const report = JSON.parse(await area.evaluate((element) => element.value)) as { verdict: string };
    assert.equal(report.verdict, "verified");
    const command = await (await visit.find("[part=command] pre")).evaluate((pre) => pre.textContent);
    assert.equal(
      command,
      "countersign verify app-2.1 --bundle app-2.1.sigstore.json --trusted-root trusted_root.json --policy policy.json",
    );
  });
}
