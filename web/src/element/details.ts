/** Every finding and every fact of a report: words first, what to do next, hexadecimal last. */

import type { Certificate, Finding, Report } from "../verify/index.js";
import { date, exactSize, moment } from "../words/quantity.js";
import { sentence } from "../words/sentence.js";
import { shownWhole } from "../words/shown.js";
import type { Words } from "../words/words.js";
import { type Child, html } from "../drawing/nodes.js";
import { remedyOf, titleOf } from "./telling.js";

export function detailsView(report: Report, words: Words): HTMLElement {
  const { panel, language } = words;
  const artifact = report.artifact;
  const facts: [string, Child][] = [];
  if (artifact.name !== null) facts.push([panel.name, foreign(artifact.name)]);
  if (artifact.size !== null) facts.push([panel.size, exactSize(artifact.size, language)]);
  facts.push([panel.checkedAt, moment(report.checked_at, language)]);
  const signer = report.signer;
  return html(
    "details",
    { class: "block", part: "details" },
    html("summary", {}, panel.details),
    html("h3", {}, panel.findings),
    report.findings.length === 0 ? html("p", {}, panel.findingsNone) : null,
    ...report.findings.map((finding) => findingView(finding, words)),
    html("h3", {}, panel.file),
    list(facts),
    report.timestamps.length > 0 && html("h3", {}, panel.timestamps),
    list(report.timestamps.map((stamp): [string, Child] => [moment(stamp.time, language), foreign(stamp.authority)])),
    signer !== null && html("h3", {}, panel.certificates),
    ...(signer?.chain ?? []).map((certificate) => certificateView(certificate, words)),
    artifact.digests.length > 0 && html("h3", {}, panel.digest),
    ...artifact.digests.map((digest) => html("p", { class: "hex" }, digest)),
  );
}

function findingView(finding: Finding, words: Words): HTMLElement {
  const { panel } = words;
  const facts: [string, Child][] = [[panel.remedy, remedyOf(finding, words)]];
  const add = (label: string, value: string | null): void => {
    if (value !== null) facts.push([label, foreign(value)]);
  };
  add(panel.subject, finding.subject);
  add(panel.expected, finding.expected);
  add(panel.found, finding.found);
  facts.push([panel.clause, finding.clause], [panel.code, html("code", {}, finding.code)]);
  return html(
    "div",
    { class: `finding class-${finding.class}`, part: "finding" },
    html(
      "p",
      { class: "finding-title" },
      html("span", { class: "finding-class" }, words.classes[finding.class]),
      " ",
      titleOf(finding, words),
    ),
    list(facts),
  );
}

function certificateView(certificate: Certificate, words: Words): HTMLElement {
  const { panel, language } = words;
  const validity = sentence(panel.validityRange, {
    from: date(certificate.not_before, language),
    to: date(certificate.not_after, language),
  });
  return html(
    "div",
    { class: "certificate" },
    html("p", { class: "finding-title" }, foreign(certificate.subject)),
    list([
      [panel.issuer, foreign(certificate.issuer)],
      [panel.validity, validity],
      [panel.serial, html("span", { class: "hex" }, certificate.serial)],
    ]),
  );
}

function list(rows: readonly [string, Child][]): HTMLElement | null {
  if (rows.length === 0) return null;
  const children = rows.flatMap(([term, value]) => [html("dt", {}, term), html("dd", {}, value)]);
  return html("dl", {}, ...children);
}

/** Foreign text at its full length, up to what anybody reads. */
function foreign(text: string): HTMLElement {
  return html("bdi", { class: "foreign" }, shownWhole(text));
}
