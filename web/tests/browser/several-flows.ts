/** Several files chosen at once: a result each, none left out, and never one for all of them. */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { INSIDE, type Visit } from "./driver.js";
import { assertAccessible, assertFitsNarrow, assertNoTrouble, screenshots } from "./observations.js";
import { download, sparseFile, withFolder } from "./setting.js";
import { type Stand, flow } from "./stand.js";

interface Shown {
  readonly name: string;
  readonly state: string;
}

/** The results in the order in which they stand. */
function results({ page }: Visit): Promise<Shown[]> {
  return page.$$eval(`${INSIDE}.result`, (items) =>
    items.map((item) => ({
      name: item.querySelector("h3")?.textContent ?? "",
      state: /state-([\w-]+)/.exec(item.querySelector(".verdict")?.className ?? "")?.[1] ?? "",
    })),
  );
}

export function severalFlows(stand: Stand): void {
  flow(stand, "each of several files has a result, the worst first", {}, async (visit) => {
    await visit.page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      document.addEventListener("vd-verdict", (event) => {
        const { name, verdict } = (event as CustomEvent<{ name: string; verdict: string }>).detail;
        heard.push(`${name} ${verdict}`);
      });
    });
    await visit.choose(download("app-2.1"), download("app-2.0"), download("app-1.8"), download("app-2.1-changed"));
    await visit.state("several");
    assert.deepEqual(await results(visit), [
      { name: "app-1.8", state: "revoked" },
      { name: "app-2.1-changed", state: "mismatch" },
      { name: "app-2.1", state: "verified" },
      { name: "app-2.0", state: "verified" },
    ]);
    assert.deepEqual(await visit.page.evaluate(() => (window as unknown as { heard: string[] }).heard), [
      "app-2.1 verified",
      "app-2.0 verified",
      "app-1.8 rejected",
      "app-2.1-changed rejected",
    ]);
    const said = await visit.verdict();
    assert.match(
      said.text,
      /^You chose 4 files\. Each has a result of its own\.\s+Withdrawn: 1 · Not the published file: 1 · Genuine: 2$/,
    );
    assert.equal(said.role, "alert");
    assert.equal(await visit.focused(), "headline");
    assertNoTrouble(visit);
    await assertFitsNarrow(visit, "several");
    await visit.openDetails();
    await visit.find(".result .chain-picture");
    if (stand.name === "chromium") {
      await assertAccessible(visit, "several");
      await visit.closeDetails();
      await screenshots(visit, "several");
    }
  });

  flow(stand, "no report, and no green, stands for several genuine files", {}, async (visit) => {
    await visit.choose(download("app-2.1"), download("app-2.0"));
    const said = await visit.verdict();
    assert.equal(said.state, "several");
    assert.equal(said.role, "status");
    const report = await visit.page.evaluate(
      () => (document.querySelector("verify-download") as unknown as { report: unknown }).report,
    );
    assert.equal(report, null);
    assert.equal(await visit.page.$(`${INSIDE}.live .state-verified`), null);
  });

  flow(stand, "bundles find their files, and what finds none is named", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const [stranger, unknown] = [join(folder, "other.sigstore.json"), join(folder, "unknown.bin")];
      await copyFile(download("app-2.1.sigstore.json"), stranger);
      await sparseFile(unknown, 4321);
      await visit.choose(
        stranger,
        unknown,
        download("app-2.0.sigstore.json"),
        download("app-2.1"),
        download("app-2.1.sigstore.json"),
        download("app-2.0"),
      );
      await visit.state("several");
      assert.deepEqual(await results(visit), [
        { name: "unknown.bin", state: "not-checked" },
        { name: "app-2.1", state: "verified" },
        { name: "app-2.0", state: "verified" },
      ]);
      const { text } = await visit.verdict();
      assert.match(text, /other\.sigstore\.json was not used\. It is not the signature of a file that you chose\./);
      const first = await visit.textOf(await visit.find(".result"));
      assert.match(first, /It is none of the files on this page\./);
    }),
  );

  flow(stand, "several can be cancelled, and one file shows a verdict again", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const path = join(folder, "notes.txt");
      await sparseFile(path, 2 * 1024 ** 3);
      await visit.choose(path, download("app-2.1"));
      await visit.waitForText(".working-line", /^Checking… [\d.]+( \w+)? of 2\.1 GB/);
      assert.match(await visit.textOf(await visit.find(".working")), /^File 1 of 2: notes\.txt/);
      await ((await visit.find("[part=cancel]")) as unknown as { click(): Promise<void> }).click();
      await visit.state("idle");
      await visit.waitForText(".remark", /^Cancelled\.$/);
      assert.equal((await visit.check(download("app-2.1"))).state, "verified");
      assert.equal(await visit.page.$(`${INSIDE}.result`), null);
    }),
  );
}
