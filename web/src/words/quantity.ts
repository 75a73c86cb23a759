/** Sizes, durations and dates as the reader's language writes them. Dates are UTC, as in reports. */

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `1.4 GB`: decimal units, as shops and file managers write them. */
export function size(bytes: number, language: string): string {
  const [value, unit] = scaled(bytes);
  const digits = unit === "byte" || unit === "kilobyte" ? 0 : 1;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: unit === "byte" ? "long" : "short",
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  }).format(value);
}

/** Two sizes, exact where the rounded ones would look alike. */
export function sizes(first: number, second: number, language: string): [string, string] {
  const rounded: [string, string] = [size(first, language), size(second, language)];
  if (first === second || rounded[0] !== rounded[1]) return rounded;
  return [exactSize(first, language), exactSize(second, language)];
}

/** `1,400,000,012 bytes`. */
export function exactSize(bytes: number, language: string): string {
  return new Intl.NumberFormat(language, { style: "unit", unit: "byte", unitDisplay: "long" }).format(bytes);
}

function scaled(bytes: number): [number, (typeof UNITS)[number]] {
  let value = bytes;
  let step = 0;
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1000;
    step += 1;
  }
  return [value, UNITS[step] ?? "byte"];
}

/** `15 s`, `3 min`, `2 h`, which every language writes alike; never zero. */
export function duration(seconds: number, language: string): string {
  const [value, unit] =
    seconds < 90
      ? ([Math.max(1, Math.round(seconds)), "s"] as const)
      : seconds < 5400
        ? ([Math.round(seconds / 60), "min"] as const)
        : ([Math.round(seconds / 3600), "h"] as const);
  return `${new Intl.NumberFormat(language).format(value)}\u00a0${unit}`;
}

/** `3 May 2026`; the text itself where it is no time. */
export function date(time: string, language: string): string {
  return formatted(time, language, { dateStyle: "long" });
}

/** `3 May 2026, 12:00 UTC`; the text itself where it is no time. */
export function moment(time: string, language: string): string {
  const written = formatted(time, language, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
  return written === time ? time : `${written.replace(" at ", ", ")} UTC`;
}

/** A text with its RFC 3339 times written for people. */
export function withMoments(text: string, language: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) => moment(time, language));
}

function formatted(time: string, language: string, options: Intl.DateTimeFormatOptions): string {
  const instant = new Date(time);
  if (Number.isNaN(instant.getTime())) return time;
  return new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" }).format(instant);
}
