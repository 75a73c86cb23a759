/** What a reader takes away: the report to copy or to save, and the command that checks the same. */

import type { Report } from "../verify/index.js";
import type { Words } from "../words/words.js";
import { type CommandFiles, verifyCommand } from "./command.js";
import { button, html } from "../drawing/nodes.js";

/** Buttons for the report as JSON. */
export function reportView(report: Report, words: Words): HTMLElement {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  const name = `${(report.artifact.name ?? "file").slice(0, 100)}.report.json`;
  const said = html("span", { class: "said", role: "status" });
  const area = html("textarea", {
    class: "by-hand",
    readonly: "",
    hidden: "",
    rows: 8,
    "aria-label": words.panel.report,
  });
  area.value = text;
  const copy = button(words.panel.copy, () => void copyText(text, said, area, words));
  const save = button(words.panel.saveReport, () => saveText(text, name));
  return html("div", { class: "tools", part: "report" }, copy, save, said, area);
}

/** The same check on the command line. */
export function commandView(files: CommandFiles, words: Words): HTMLElement {
  const command = verifyCommand(files);
  const said = html("span", { class: "said", role: "status" });
  const area = html("textarea", {
    class: "by-hand",
    readonly: "",
    hidden: "",
    rows: 3,
    "aria-label": words.panel.without,
  });
  area.value = command;
  return html(
    "details",
    { class: "block", part: "command" },
    html("summary", {}, words.panel.without),
    html("p", {}, words.panel.withoutNote),
    html("pre", { tabindex: 0, "aria-label": words.panel.without }, html("code", {}, command)),
    html(
      "div",
      { class: "tools" },
      button(words.panel.copyCommand, () => void copyText(command, said, area, words)),
      said,
    ),
    area,
  );
}

async function copyText(text: string, said: HTMLElement, area: HTMLTextAreaElement, words: Words): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = words.panel.copied;
  } catch {
    // No clipboard without a secure context or against the reader's settings.
    area.hidden = false;
    area.select();
    said.textContent = words.panel.copyByHand;
  }
}

function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  html("a", { href: address, download: name }).click();
  // The browser has taken the blob once the click is handled; a second is plenty.
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
