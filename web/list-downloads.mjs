#!/usr/bin/env node
/**
 * `node web/list-downloads.mjs SITE`: writes the downloads of SITE/releases.json as links into SITE/index.html, for
 * visitors whose browser runs no script. The page takes them away when its script runs. Run it whenever the list changes.
 */

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const PLACE = /<!--downloads-->[^]*<!--\/downloads-->/;

const [site] = process.argv.slice(2);
if (site === undefined) {
  console.error("usage: node web/list-downloads.mjs SITE");
  process.exit(2);
}
const page = join(site, "index.html");
const html = await readFile(page, "utf8");
if (!PLACE.test(html)) throw new Error(`${page} is not the page of web/dist/page`);
const { files } = JSON.parse(await readFile(join(site, "releases.json"), "utf8"));
const list = `<!--downloads--><section id="downloads-without-script" class="downloads"><h2>Downloads</h2><ul>${files.map(row).join("")}</ul></section><!--/downloads-->`;
await writeFile(
  `${page}.new`,
  html.replace(PLACE, () => list),
);
await rename(`${page}.new`, page);

function row({ file, bundle = `${file}.sigstore.json`, name, version }) {
  const label = [name, version].filter(Boolean).join(" ") || file;
  return `<li class="download"><p class="download-name">${link(file, label)} (${link(bundle, "signature")})</p></li>`;
}

function link(address, text) {
  const url = new URL(address, "https://site.invalid/");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new Error(`${address}: an http(s) address was expected`);
  }
  return `<a href="${escaped(address)}" download><bdi>${escaped(text)}</bdi></a>`;
}

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
