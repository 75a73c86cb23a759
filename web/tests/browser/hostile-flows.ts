/** Names that somebody chose to deceive: markup, turned text, look-alikes, far too long ones. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { INSIDE, type Visit } from "./driver.js";
import { assertFitsNarrow, assertNoTrouble } from "./observations.js";
import { download } from "./setting.js";
import { type Stand, flow } from "./stand.js";

interface HostileName {
  readonly kind: string;
  readonly name: string;
  readonly shown: RegExp;
}

const NAMES: readonly HostileName[] = [
  { kind: "markup", name: "<img src=x onerror=alert(1)>.exe", shown: /<img src=x onerror=alert\(1\)>\.exe/ },
  { kind: "turned text", name: "invoice\u202efdp.exe", shown: /invoice\\u\{202e\}fdp\.exe/ },
  { kind: "an invisible space", name: "app\u200b-2.1", shown: /app\\u\{200b\}-2\.1/ },
  { kind: "look-alikes", name: "аpp-2.1", shown: /unusual letters: а U\+0430/ },
  { kind: "100 KB", name: `${"long ".repeat(20_000)}.exe`, shown: /long long/ },
  { kind: "one word of 100 KB", name: `${"W".repeat(100_000)}.exe`, shown: /WWW/ },
];

/** A verified report whose every text was chosen by somebody who means harm. */
function hostileReportFlow(stand: Stand): void {
  flow(stand, "a signer's, an authority's and a finding's names", {}, async (visit) => {
    await visit.choose(download("app-1.9"));
    await visit.verdict();
    await visit.page.evaluate(() => {
      const element = document.querySelector("verify-download") as unknown as {
        report: {
          signer: { identity: string; chain: { subject: string; issuer: string }[] };
          timestamps: { authority: string }[];
          checks: { answer: string }[];
          findings: { subject: string; found: string; expected: string }[];
        };
        show(report: unknown): void;
      };
      const hostile = `<b>bold</b>\u202egnp.exe аdmin@exаmple.org ${"y".repeat(100_000)}`;
      const report = structuredClone(element.report);
      report.signer.identity = hostile;
      for (const certificate of report.signer.chain) {
        certificate.subject = `CN=${hostile},O=${hostile}`;
        certificate.issuer = hostile;
      }
      for (const stamp of report.timestamps) stamp.authority = hostile;
      for (const check of report.checks) check.answer = hostile;
      for (const finding of report.findings) {
        Object.assign(finding, { subject: hostile, found: hostile, expected: hostile });
      }
      element.show(report);
    });
    await visit.openDetails();
    const { text, strays } = await visit.page.evaluate(() => {
      const root = document.querySelector("verify-download")?.shadowRoot;
      return {
        text: root?.querySelector<HTMLElement>(".panel")?.innerText ?? "",
        strays: root?.querySelectorAll("b, img, script").length,
      };
    });
    assert.equal(strays, 0);
    assert.match(text, /published by <b>bold<\/b>\\u\{202e\}gnp\.exe/);
    assert.match(text, /unusual letters: а U\+0430/);
    assert.doesNotMatch(text, /\u202e/);
    await assertFitsNarrow(visit, "a hostile report");
    assertNoTrouble(visit);
  });
}

/** bash reads the shown command's third word as exactly that name. */
async function assertCommandNames(visit: Visit, name: string): Promise<void> {
  const command = await visit.page.$eval(`${INSIDE}[part=command] pre`, (pre) => pre.textContent ?? "");
  const read = execFileSync("bash", ["-c", `countersign() { printf %s "$2"; }; ${command}`], {
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  assert.equal(read.toString(), name);
}

export function hostileFlows(stand: Stand): void {
  hostileReportFlow(stand);
  for (const { kind, name, shown } of NAMES) {
    flow(stand, kind, {}, async (visit) => {
      await visit.page.evaluate(async (hostile: string) => {
        const element = document.querySelector("verify-download") as unknown as {
          resolver: unknown;
          setAttribute(name: string, value: string): void;
          check(file: File): Promise<unknown>;
        };
        element.resolver = null;
        element.setAttribute("bundle", "app-2.1.sigstore.json");
        element.setAttribute("name", hostile);
        element.setAttribute("publisher", hostile);
        await element.check(new File(["not the app"], hostile));
      }, name);
      const verdict = await visit.verdict();
      assert.notEqual(verdict.state, "verified");
      await visit.openDetails();
      const { text, strays } = await visit.page.evaluate(() => {
        const root = document.querySelector("verify-download")?.shadowRoot;
        return {
          text: root?.querySelector<HTMLElement>(".panel")?.innerText ?? "",
          strays: root?.querySelectorAll("img, script, iframe, object").length,
        };
      });
      assert.equal(strays, 0);
      assert.match(text, shown);
      assert.ok(text.length < 30_000, `${text.length} characters are shown`);
      assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200b]/);
      await assertFitsNarrow(visit, kind);
      if (name.length < 255) await assertCommandNames(visit, name);
      assertNoTrouble(visit);
    });
  }
}
