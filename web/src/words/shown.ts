/**
 * Text that somebody else chose, made fit to be looked at: what steers a display is written out,
 * what is too long is shortened in the middle, letters that look like others are named. The text
 * itself is only ever put into the page as text.
 */

/** How many characters of a name stand in a sentence. */
export const SHOWN_CHARACTERS = 80;

/** How many are kept at all: nobody reads more, and a page that lays out 100 KB stands still. */
export const KEPT_CHARACTERS = 2000;

const STEERING = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
const LONE_SURROGATE = /\p{Cs}/gu;

/** Control, invisible and bidirectional characters as `\u{202e}`. */
export function visible(text: string): string {
  const written = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  return text.replace(STEERING, written).replace(LONE_SURROGATE, written);
}

/** `text`, fit to be shown, at most `limit` characters; the middle goes, for names end in what matters. */
export function shown(text: string, limit: number = SHOWN_CHARACTERS): string {
  const head = Math.ceil((limit - 1) * 0.6);
  const tail = limit - 1 - head;
  // Cut before it is taken apart: a name may have any length.
  const room = limit * 2;
  const characters = text.length <= 2 * room ? [...text] : [...text.slice(0, room), ...text.slice(-room)];
  if (text.length <= 2 * room && characters.length <= limit) return visible(text);
  return `${visible(characters.slice(0, head).join(""))}…${visible(characters.slice(-tail).join(""))}`;
}

/** As {@link shown}, for details. */
export function shownWhole(text: string): string {
  return shown(text, KEPT_CHARACTERS);
}

/** A letter that may be taken for another one. */
export interface StrangeLetter {
  readonly character: string;
  /** Such as `U+0430`. */
  readonly codePoint: string;
}

const MIXABLE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
const LATIN = /\p{Script=Latin}/u;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const MOST_LETTERS = 6;

/**
 * Letters that deserve a second look: in an address (`@`, `://`) every one outside ASCII; in a name
 * those of an alphabet that resembles ours, in a word that has both.
 */
export function strangeLetters(text: string): StrangeLetter[] {
  const looked = text.slice(0, KEPT_CHARACTERS);
  const isAddress = looked.includes("@") || looked.includes("://");
  const suspects = isAddress
    ? [...looked].filter((character) => character > "\u007f" && !isSteering(character))
    : (looked.match(WORD) ?? [])
        .filter((word) => MIXABLE.test(word) && LATIN.test(word))
        .flatMap((word) => [...word].filter((character) => MIXABLE.test(character)));
  return [...new Set(suspects)].slice(0, MOST_LETTERS).map((character) => ({
    character,
    codePoint: `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`,
  }));
}

function isSteering(character: string): boolean {
  return visible(character) !== character;
}

/** The part of an RFC 4514 name that an attribute has, such as `O`; null where there is none. */
export function nameAttribute(distinguishedName: string, attribute: string): string | null {
  for (const part of nameParts(distinguishedName)) {
    if (part.startsWith(`${attribute}=`)) {
      return part.slice(attribute.length + 1).replace(/\\(.)/gu, "$1");
    }
  }
  return null;
}

/** Parts between commas and plus signs that no backslash stands before. */
function nameParts(distinguishedName: string): string[] {
  return distinguishedName.match(/(?:\\.|[^,+\\])+/gsu) ?? [];
}

/** What a person would call the owner of a distinguished name: CN, else O, else all of it. */
export function friendlyName(distinguishedName: string): string {
  return nameAttribute(distinguishedName, "CN") ?? nameAttribute(distinguishedName, "O") ?? distinguishedName;
}
