/** Checking while saving, with a picker that gives a file of the origin's own: only what is verified stays. */

import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import type { ElementHandle } from "puppeteer-core";
import type { Visit } from "./driver.js";
import { screenshots } from "./observations.js";
import { download, writePage } from "./setting.js";
import { type Stand, flow } from "./stand.js";

/** No test can press the buttons of the browser's own picker. */
async function stubPicker(visit: Visit): Promise<void> {
  await visit.page.evaluateOnNewDocument(() => {
    (window as unknown as { showSaveFilePicker: unknown }).showSaveFilePicker = async (options: {
      suggestedName: string;
    }) => {
      const folder = await navigator.storage.getDirectory();
      return folder.getFileHandle(options.suggestedName, { create: true });
    };
  });
}

/** How many bytes were kept under that name; null when there is no such file. */
function keptBytes(visit: Visit, name: string): Promise<number | null> {
  return visit.page.evaluate(async (wanted: string) => {
    const folder = await navigator.storage.getDirectory();
    for await (const [found, handle] of (
      folder as unknown as { entries(): AsyncIterable<[string, FileSystemFileHandle]> }
    ).entries()) {
      if (found === wanted) return (await handle.getFile()).size;
    }
    return null;
  }, name);
}

async function save(visit: Visit, name: string): Promise<void> {
  const row = await visit.page.waitForSelector(`::-p-xpath(//li[.//bdi[text()="${name}"]]//button[not(@hidden)])`);
  await row?.click();
}

export function savingFlows(stand: Stand): void {
  const beginning = { only: "chromium", prepare: stubPicker } as const;

  flow(stand, "a genuine download is kept", beginning, async (visit) => {
    await save(visit, "app-2.1");
    const verdict = await visit.verdict();
    assert.match(verdict.text, /genuine App 2\.1[^]*Saved as app-2\.1\./);
    assert.equal(await keptBytes(visit, "app-2.1"), (await stat(download("app-2.1"))).size);
    await screenshots(visit, "saved");
  });

  flow(stand, "a changed download is not", beginning, async (visit) => {
    await save(visit, "app-2.1-changed");
    const verdict = await visit.verdict();
    assert.equal(verdict.code, "content.mismatch");
    assert.match(verdict.text, /The download was not kept\./);
    assert.equal(await keptBytes(visit, "app-2.1-changed"), null);
  });

  flow(stand, "nor is one that cannot be checked", beginning, async (visit) => {
    await save(visit, "app-2.1-quiet");
    assert.equal((await visit.verdict()).state, "not-checked");
    assert.equal(await keptBytes(visit, "app-2.1-quiet"), null);
  });

  flow(stand, "an older file of the reader's stays when the new one does not verify", beginning, async (visit) => {
    await visit.page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const writable = await (await folder.getFileHandle("app-2.1-changed", { create: true })).createWritable();
      await writable.write("older");
      await writable.close();
    });
    await save(visit, "app-2.1-changed");
    assert.equal((await visit.verdict()).code, "content.mismatch");
    assert.equal(await keptBytes(visit, "app-2.1-changed"), 5);
  });

  flow(stand, "a download that is not there is said to be missing", beginning, async (visit) => {
    await visit.page.goto(await writePage("gone.html", `<verify-download src="gone.bin"></verify-download>`));
    const saver = await visit.find("[part~=save]");
    await (saver as ElementHandle<HTMLButtonElement>).click();
    await visit.waitForText(".remark", /^We couldn’t get the download from 127\.0\.0\.1:\d+\. Nothing was saved\.$/);
    assert.equal(await keptBytes(visit, "gone.bin"), null);
  });

  flow(stand, "without a picker there is a link", { only: "firefox" }, async (visit) => {
    await visit.page.waitForSelector(".download a[download]");
    assert.equal(await visit.page.$(".download-actions button:not([hidden])"), null);
  });
}
