/** Each state with its words, its role, its focus; and what is true in every state. */

import assert from "node:assert/strict";
import { expectations } from "./expectations.js";
import {
  assertAccessible,
  assertFitsNarrow,
  assertNoTrouble,
  assertOnlyNamed,
  screenshots,
  wholeScreenshot,
} from "./observations.js";
import { download } from "./setting.js";
import { type Stand, flow } from "./stand.js";

export function verdictFlows(stand: Stand): void {
  const inChromium = stand.name === "chromium";
  for (const expected of expectations.filter(({ everywhere }) => everywhere || inChromium)) {
    flow(stand, `${expected.file} is ${expected.state}`, {}, async (visit) => {
      await visit.choose(download(expected.file));
      const verdict = await visit.verdict();
      assert.equal(verdict.code, expected.code);
      assert.equal(verdict.state, expected.state);
      assert.match(verdict.text, expected.says);
      assert.equal(verdict.role, expected.role);
      assert.equal(await visit.focused(), "headline", "the verdict has the focus");
      assertOnlyNamed(visit);
      assertNoTrouble(visit);
      await assertFitsNarrow(visit, expected.file);
      if (inChromium) {
        await visit.openDetails();
        await assertAccessible(visit, expected.file);
        if (expected.file === "app-2.1") await wholeScreenshot(visit, "details");
        await visit.closeDetails();
        await screenshots(visit, expected.file);
      }
    });
  }

  flow(stand, "outdated is told apart from genuine", {}, async (visit) => {
    await visit.choose(download("app-2.0"));
    await visit.verdict();
    // No verification ends so yet: there is no metadata of newer versions.
    await visit.page.evaluate(() => {
      const element = document.querySelector("verify-download") as unknown as {
        report: { findings: object[] };
        show(report: unknown): void;
      };
      const finding = {
        ...element.report.findings[0],
        class: "outdated",
        expected: "2.1",
        title: "Old.",
        remedy: "Update.",
      };
      element.show({ ...element.report, verdict: "outdated", findings: [finding] });
    });
    const verdict = await visit.verdict();
    assert.equal(verdict.state, "outdated");
    assert.match(verdict.text, /Genuine, but old\.\s+2\.1 fixes security problems\. Get 2\.1\./);
    await assertFitsNarrow(visit, "outdated");
    if (inChromium) {
      await assertAccessible(visit, "outdated");
      await screenshots(visit, "outdated");
    }
  });

  flow(stand, "the beginning is accessible, still and narrow enough", { only: "chromium" }, async (visit) => {
    await visit.page.waitForSelector(".download");
    const shift = await visit.page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const observer = new PerformanceObserver((list) => {
            observer.disconnect();
            resolve(list.getEntries().reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, 0));
          });
          observer.observe({ type: "layout-shift", buffered: true });
          // Without any shift nobody calls.
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(0)));
        }),
    );
    assert.ok(shift < 0.01, `layout shift ${shift}`);
    await assertAccessible(visit, "idle");
    await assertFitsNarrow(visit, "idle");
    await screenshots(visit, "idle");
    assertOnlyNamed(visit);
    assertNoTrouble(visit);
  });
}
