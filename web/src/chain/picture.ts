/** The trust chain drawn as SVG: stations on a stem, one below the other, so that it fits any width. */

import { strokes } from "../element/icons.js";
import { html, svg } from "../element/nodes.js";
import type { Report } from "../verify/index.js";
import { shown } from "../words/shown.js";
import type { Words } from "../words/words.js";
import { type Station, type Tone, describe, stationsOf } from "./chain.js";

// All in CSS pixels.
const RADIUS = 20;
const STEM = RADIUS + 2;
const TEXT = STEM + RADIUS + 16;
const LINE = 20;
const GAP = 34;
const SMALLEST = 240;
/** The mean width of a character at 15 pixels, generous. */
const CHARACTER = 8.1;
const SMALL_CHARACTER = 7.2;

const MARKS = { good: "passed", bad: "failed", open: "check-not-checked" } as const;

/** A figure that redraws itself when its width changes, or a sentence when nothing was proven. */
export function chainFigure(report: Report, words: Words): HTMLElement {
  const stations = stationsOf(report, words);
  if (stations.length === 0) {
    return html("p", { class: "chain-nothing" }, words.chain.nothing);
  }
  const figure = html("figure", { class: "chain", part: "chain" });
  const description = describe(report, words);
  let drawn = 0;
  const draw = (width: number): void => {
    const fitting = Math.max(SMALLEST, Math.floor(width));
    if (fitting === drawn) return;
    drawn = fitting;
    figure.replaceChildren(drawChain(stations, fitting, words.chain.title, description));
  };
  draw(320);
  new ResizeObserver((entries) => {
    const width = entries[0]?.contentRect.width;
    if (width) draw(width);
  }).observe(figure);
  return figure;
}

function drawChain(
  stations: readonly Station[],
  width: number,
  title: string,
  description: string,
): SVGSVGElement {
  const tops = stationTops(stations);
  const last = stations.length - 1;
  const height = (tops[last] ?? 0) + stationHeight(stations[last]);
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: "chain-picture",
      "aria-labelledby": "chain-title chain-description",
    },
    svg("title", { id: "chain-title" }, title),
    svg("desc", { id: "chain-description" }, description),
  );
  stations.forEach((station, index) => {
    const top = tops[index] ?? 0;
    const below = tops[index + 1];
    if (below !== undefined) {
      picture.append(stem(top, below, stations[index + 1]));
    }
    picture.append(drawStation(station, top, width));
  });
  return picture;
}

function stationTops(stations: readonly Station[]): number[] {
  let top = 2;
  return stations.map((station) => {
    const own = top;
    top += stationHeight(station) + GAP;
    return own;
  });
}

function stationHeight(station: Station | undefined): number {
  return Math.max(2 * RADIUS, LINE * (2 + (station?.notes.length ?? 0))) + 4;
}

/** The line down to the next station, with what it means beside it. */
function stem(top: number, below: number, next: Station | undefined): SVGGElement {
  const from = top + 2 * RADIUS + 6;
  const group = svg(
    "g",
    { class: `chain-stem tone-${next?.tone ?? "open"}` },
    svg("line", { x1: STEM, y1: from, x2: STEM, y2: below - 6 }),
  );
  if (next?.link) {
    group.append(svg("text", { x: TEXT, y: below - GAP / 2 + 2, class: "chain-link" }, next.link));
  }
  return group;
}

function drawStation(station: Station, top: number, width: number): SVGGElement {
  const room = width - TEXT - 4;
  const group = svg("g", { class: `chain-station tone-${station.tone}` });
  group.append(
    svg("circle", { cx: STEM, cy: top + RADIUS, r: RADIUS }),
    placed(strokes(station.icon), STEM - 12, top + RADIUS - 12, 1),
    mark(station.tone, top),
    line(station.kind, TEXT, top + 13, "chain-kind", room / SMALL_CHARACTER),
    line(station.title, TEXT, top + 13 + LINE, "chain-title", room / CHARACTER),
  );
  station.notes.forEach((note, index) => {
    const y = top + 13 + LINE * (2 + index);
    group.append(line(note, TEXT, y, "chain-note", room / SMALL_CHARACTER));
  });
  return group;
}

/** How it stands, as a small sign at the station's rim. */
function mark(tone: Tone, top: number): SVGGElement {
  const [x, y] = [STEM + RADIUS - 11, top + 2 * RADIUS - 13];
  return svg(
    "g",
    { class: "chain-mark" },
    svg("circle", { cx: x + 7, cy: y + 7, r: 8.5 }),
    placed(strokes(MARKS[tone]), x - 0.2, y - 0.2, 0.6),
  );
}

function placed(shape: SVGElement, x: number, y: number, scale: number): SVGGElement {
  return svg("g", { transform: `translate(${x} ${y}) scale(${scale})`, class: "chain-icon" }, shape);
}

function line(text: string, x: number, y: number, kind: string, room: number): SVGTextElement {
  const limit = Math.max(12, Math.floor(room));
  const element = svg("text", { x, y, class: kind }, shown(text, limit));
  if (text.length > limit) element.append(svg("title", {}, shown(text, 400)));
  return element;
}
