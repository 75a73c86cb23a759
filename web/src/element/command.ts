/** The command line that makes the same check without the page. */

import { visible } from "../words/shown.js";

/** zsh reads a word that begins with `=` as the path of a program. */
const HARMLESS = /^(?!=)[\w@%+=:,./-]+$/;

/** The file names of one check, as the reader has them. */
export interface CommandFiles {
  readonly file: string;
  readonly bundle: string;
  readonly trust: string;
  readonly policy: string;
  /** The public key, for a bundle by a managed key. */
  readonly key: string | undefined;
}

/** No file system has longer names; what is longer was never a file's name. */
const LONGEST_NAME = 255;

export function verifyCommand(files: CommandFiles): string {
  const named = files.file.length <= LONGEST_NAME;
  const words = [
    "countersign",
    "verify",
    named ? shellWord(files.file) : "FILE",
    "--bundle",
    named ? shellWord(files.bundle) : "FILE.sigstore.json",
    "--trusted-root",
    shellWord(files.trust),
    "--policy",
    shellWord(files.policy),
  ];
  if (files.key !== undefined) words.push("--key", shellWord(files.key));
  return words.join(" ");
}

/**
 * A file name as one word of bash that means exactly that name. What could not be seen is written as
 * an escape in `$'…'`, so that nobody pastes something other than they read; a name that could be
 * taken for an option stands behind `./`.
 */
export function shellWord(name: string): string {
  const safe = name.startsWith("-") ? `./${name}` : name;
  if (HARMLESS.test(safe)) return safe;
  if (visible(safe) === safe) return `'${safe.replaceAll("'", "'\\''")}'`;
  const escaped = [...safe].map((character) => {
    if (character === "'" || character === "\\") return `\\${character}`;
    if (visible(character) === character) return character;
    return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
  });
  return `$'${escaped.join("")}'`;
}
