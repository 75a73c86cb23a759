/** The trust chain drawn as SVG: stations on a stem, one below the other, so that it fits any width. */

import { strokes } from "../drawing/icons.js";
import { html, svg } from "../drawing/nodes.js";
import type { Report } from "../verify/index.js";
import { shown } from "../words/shown.js";
import type { Words } from "../words/words.js";
import { type Station, type Tone, describe, stationsOf, worse } from "./chain.js";

// All in CSS pixels.
const RADIUS = 20;
const STEM = RADIUS + 2;
const TEXT = STEM + RADIUS + 16;
const LINE = 20;
const GAP = 34;
const SMALLEST = 240;
/** The mean width of a character at 15 pixels, generous. */
const CHARACTER = 8.1;
const SMALL_CHARACTER = 7.7;

/** Longer texts are shortened; the details have the whole. */
const MOST_LINES = 3;

/** A station with its texts broken into lines for a width. */
interface Laid {
  readonly station: Station;
  readonly lines: readonly { readonly text: string; readonly kind: string }[];
  readonly height: number;
}

/** Several pictures may stand in one tree. */
let pictures = 0;

const MARKS = { good: "passed", bad: "failed", open: "check-not-checked" } as const;

/** A figure that redraws itself when its width changes, or a sentence when nothing was proven. */
export function chainFigure(report: Report, words: Words): HTMLElement {
  const stations = stationsOf(report, words);
  if (stations.length === 0) {
    return html("p", { class: "chain-nothing" }, words.chain.nothing);
  }
  const figure = html("figure", { class: "chain", part: "chain" });
  const description = describe(report, words);
  const id = `chain-${(pictures += 1)}`;
  let drawn = 0;
  const draw = (width: number): void => {
    const fitting = Math.max(SMALLEST, Math.floor(width));
    if (fitting === drawn) return;
    drawn = fitting;
    figure.replaceChildren(drawChain(stations, fitting, { id, title: words.chain.title, description }));
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
  { id, title, description }: { readonly id: string; readonly title: string; readonly description: string },
): SVGSVGElement {
  const laid = stations.map((station) => lay(station, width - TEXT - 4));
  const height = laid.reduce((sum, each) => sum + each.height, GAP * (laid.length - 1));
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      class: "chain-picture",
      "aria-labelledby": `${id}-title ${id}-description`,
    },
    svg("title", { id: `${id}-title` }, title),
    svg("desc", { id: `${id}-description` }, description),
  );
  let top = 0;
  laid.forEach((each, index) => {
    const below = top + each.height + GAP;
    const next = laid[index + 1]?.station;
    if (next !== undefined) picture.append(stem(each.station, next, top, below));
    picture.append(drawStation(each, top));
    top = below;
  });
  return picture;
}

function lay(station: Station, room: number): Laid {
  const small = room / SMALL_CHARACTER;
  const of = (text: string, kind: string, limit: number): Laid["lines"] =>
    wrapped(text, Math.max(12, Math.floor(limit))).map((line) => ({ text: line, kind }));
  const lines = [
    ...of(station.kind, "chain-kind", small),
    ...of(station.title, "chain-title", room / CHARACTER),
    ...station.notes.flatMap((note) => of(note, "chain-note", small)),
  ];
  return { station, lines, height: Math.max(2 * RADIUS, LINE * lines.length) + 4 };
}

/** Lines of at most `limit` characters, broken at spaces where there are any. */
function wrapped(text: string, limit: number): string[] {
  const lines: string[] = [];
  let rest = [...shown(text, limit * MOST_LINES - MOST_LINES)];
  while (rest.length > limit) {
    const space = rest.lastIndexOf(" ", limit);
    const end = space > limit / 2 ? space : limit;
    lines.push(rest.slice(0, end).join("").trim());
    rest = rest.slice(end);
  }
  lines.push(rest.join("").trim());
  return lines;
}

/** The line down to the next station, with what it means beside it. */
function stem(above: Station, next: Station, top: number, below: number): SVGGElement {
  const group = svg(
    "g",
    { class: `chain-stem tone-${worse(above.tone, next.tone)}` },
    svg("line", { x1: STEM, y1: top + 2 * RADIUS + 6, x2: STEM, y2: below - 6 }),
  );
  if (next.link !== null) {
    group.append(svg("text", { x: TEXT, y: below - GAP / 2 + 2, class: "chain-link" }, next.link));
  }
  return group;
}

function drawStation({ station, lines }: Laid, top: number): SVGGElement {
  const group = svg(
    "g",
    { class: `chain-station tone-${station.tone}` },
    svg("circle", { cx: STEM, cy: top + RADIUS, r: RADIUS }),
    placed(strokes(station.icon), STEM - 12, top + RADIUS - 12, 1),
    mark(station.tone, top),
  );
  lines.forEach(({ text, kind }, index) => {
    group.append(svg("text", { x: TEXT, y: top + 13 + LINE * index, class: kind }, text));
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
