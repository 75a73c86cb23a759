/** Whom a check trusts: never what came with the download, and the reader's own files only if the form says so. */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Visit } from "./driver.js";
import { INSIDE } from "./driver.js";
import { assertAccessible, assertFitsNarrow, assertOnlyNamed, screenshots } from "./observations.js";
import { attackFiles, attackFolder, crlFolder, download, withFolder, writePage } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const attack = (name: string): string => join(attackFolder, name);

/** What the element told its page of each verdict. */
interface Heard {
  readonly verdict: string;
  readonly trust: string;
  readonly name: string;
}

async function listen(visit: Visit): Promise<() => Promise<Heard[]>> {
  await visit.page.evaluate(() => {
    const heard: unknown[] = [];
    Object.assign(window, { heard });
    document.addEventListener("vd-verdict", (event) => {
      const { verdict, trust, name } = (event as CustomEvent<Heard>).detail;
      heard.push({ verdict, trust, name });
    });
  });
  return () => visit.page.evaluate(() => (window as unknown as { heard: Heard[] }).heard);
}

/** Drops files on the element by its own event, which every browser can be made to do. */
async function drop(visit: Visit, paths: readonly string[]): Promise<void> {
  const choice = (await visit.page.evaluateHandle(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    document.body.append(input);
    return input;
  })) as unknown as { uploadFile(...paths: string[]): Promise<void> };
  await choice.uploadFile(...paths);
  await visit.page.evaluate(() => {
    const input = document.body.querySelector<HTMLInputElement>(":scope > input");
    const data = new DataTransfer();
    for (const file of input?.files ?? []) data.items.add(file);
    input?.remove();
    const chooser = document.querySelector("verify-download")?.shadowRoot?.querySelector(".chooser");
    chooser?.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
}

/** The site's own trust decides, and the files that would have are named. */
async function assertNotDeceived(visit: Visit): Promise<void> {
  const verdict = await visit.verdict();
  assert.equal(verdict.state, "untrusted");
  assert.equal(verdict.code, "certificate.unknown-issuer");
  assert.equal(verdict.role, "alert");
  for (const name of ["trusted_root.json", "policy.json", "root.crl", "signing.crl"]) {
    assert.match(verdict.text, new RegExp(`${name} was not used\\. Only a signature may come with a download`));
  }
}

export function trustFlows(stand: Stand): void {
  flow(stand, "malware with all that would make it verify, chosen on the page", {}, async (visit) => {
    const heard = await listen(visit);
    await visit.choose(...(await attackFiles()));
    await assertNotDeceived(visit);
    assert.deepEqual(await heard(), [{ verdict: "rejected", trust: "site", name: "app-2.1" }]);
    // What came with one file decides nothing for the next.
    const next = await visit.check(attack("app-2.1"), attack("app-2.1.sigstore.json"));
    assert.equal(next.code, "certificate.unknown-issuer");
    assert.equal((await visit.check(download("app-2.1"))).state, "verified");
  });

  flow(stand, "malware with all that would make it verify, dropped on the page", {}, async (visit) => {
    await drop(visit, await attackFiles());
    await assertNotDeceived(visit);
    assertOnlyNamed(visit);
  });

  flow(stand, "malware with all that would make it verify, in the element", {}, async (visit) => {
    for (const attribute of ["", "own-trust"]) {
      const address = await writePage(
        `attacked${attribute}.html`,
        `<verify-download src="app-2.1" name="App" version="2.1" publisher="Example Software" ${attribute}></verify-download>`,
      );
      await visit.page.goto(address);
      await visit.choose(...(await attackFiles()));
      await assertNotDeceived(visit);
      await drop(visit, await attackFiles());
      await assertNotDeceived(visit);
    }
  });

  flow(stand, "other names for the attacker's files deceive nobody either", { only: "chromium" }, (visit) =>
    withFolder(async (folder) => {
      const paths = [attack("app-2.1"), attack("app-2.1.sigstore.json")];
      for (const [from, to] of [
        ["trusted_root.json", "trusted_root (1).json"],
        ["policy.json", "Policy.json"],
        ["root.crl", "root.crl.pem"],
        ["signing.crl", "list"],
        ["trusted_root.json", "root.json"],
      ] as const) {
        await copyFile(attack(from), join(folder, to));
        paths.push(join(folder, to));
      }
      const heard = await listen(visit);
      await visit.choose(...paths);
      await visit.state("several");
      const verdicts = await heard();
      assert.ok(verdicts.length >= 1);
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === "verified"),
        [],
      );
      assert.equal(await visit.page.$(`${INSIDE}.state-verified`), null);
    }),
  );

  flow(stand, "without the attribute there is no form", {}, async (visit) => {
    await visit.page.goto(await writePage("no-form.html", `<verify-download src="app-2.1"></verify-download>`));
    await visit.find("#file");
    assert.equal(await visit.page.$(`${INSIDE}.own`), null);
  });

  flow(stand, "the reader's own trust is named first, and is not the site's", {}, async (visit) => {
    const heard = await listen(visit);
    await visit.chooseOwn("own-trust", attack("trusted_root.json"));
    await visit.chooseOwn("own-policy", attack("policy.json"));
    await visit.chooseOwn("own-crls", attack("root.crl"), attack("signing.crl"));
    await visit.choose(attack("app-2.1"), attack("app-2.1.sigstore.json"));
    const verdict = await visit.verdict();
    assert.equal(verdict.state, "verified-own");
    assert.match(verdict.text, /^Checked against your trust root and policy, not this site’s\.\s/);
    assert.match(verdict.text, /If they came with the download, or from the same page, it proves nothing\./);
    assert.doesNotMatch(verdict.text, /genuine|App 2\.1/i);
    assert.equal(await visit.page.$(`${INSIDE}.state-verified`), null);
    assert.deepEqual(await heard(), [{ verdict: "verified", trust: "visitor", name: "app-2.1" }]);
    await visit.openDetails();
    const all = await visit.textOf(await visit.find(".panel"));
    assert.doesNotMatch(all, /this page’s trust root|Why it can be trusted/);
    const chain = await visit.page.$eval(`${INSIDE}.chain-picture`, (picture) => picture.textContent);
    assert.match(chain ?? "", /named by your trust root/);
    await assertFitsNarrow(visit, "own trust");
    if (stand.name === "chromium") {
      await assertAccessible(visit, "own trust");
      await visit.closeDetails();
      await screenshots(visit, "own-trust");
    }
    // A verdict against the reader's trust says so too.
    const strange = await visit.check(download("app-2.1"));
    assert.equal(strange.state, "untrusted");
    assert.match(
      strange.text,
      /^Checked against your trust root and policy, not this site’s\.\s[^]*nobody that your files trust/,
    );
    await (await visit.find(".own button")).evaluate((button) => (button as HTMLElement).click());
    assert.equal((await visit.check(download("app-2.1"))).state, "verified");
  });

  flow(stand, "a publisher's files, got in another way, confirm the download", { only: "chromium" }, async (visit) => {
    await visit.chooseOwn("own-policy", download("policy.json"));
    const verdict = await visit.check(download("app-2.1"));
    assert.equal(verdict.state, "verified-own");
    assert.match(verdict.text, /^Checked against your policy, not this site’s\./);
    await visit.chooseOwn("own-crls", join(crlFolder, "signing.crl"));
    assert.equal((await visit.check(download("app-2.1"))).state, "verified-own");
  });
}
