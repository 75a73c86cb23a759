/** Names that somebody chose to deceive: markup, turned text, look-alikes, far too long ones. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { INSIDE, type Visit } from "./driver.js";
import { assertFitsNarrow, assertNoTrouble } from "./observations.js";
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

/** bash reads the shown command's third word as exactly that name. */
async function assertCommandNames(visit: Visit, name: string): Promise<void> {
  const command = await visit.page.$eval(`${INSIDE}[part=command] pre`, (pre) => pre.textContent ?? "");
  const read = execFileSync("bash", ["-c", `countersign() { printf %s "$2"; }; ${command}`], {
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  assert.equal(read.toString(), name);
}

export function hostileFlows(stand: Stand): void {
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
          text: (root?.querySelector(".panel") as HTMLElement).innerText,
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
