/**
 * The files of one choice, by what each is: downloads, and the bundles that belong to them.
 *
 * Whoever sends a download sends what lies beside it too. So nothing that comes with one is ever trusted: a trust
 * root, a policy or a revocation list among the chosen files is named and left alone.
 */

import { withoutCount } from "./sources.js";

/** A file to check, with the bundle that was chosen for it. */
export interface ChosenDownload {
  readonly file: File;
  readonly bundle: File | undefined;
}

/** A chosen file that is no download and is not used. */
export interface Unused {
  readonly name: string;
  /** `evidence`: it would say whom to trust; `bundle`: it belongs to none of the chosen files. */
  readonly kind: "evidence" | "bundle";
}

export interface Choice {
  /** In the order in which they were chosen. */
  readonly downloads: readonly ChosenDownload[];
  /** A bundle whose file is still to be chosen. */
  readonly waiting: File | undefined;
  readonly unused: readonly Unused[];
}

const BUNDLE_NAME = /\.sigstore(\.jsonl?)?$/i;
const EVIDENCE_NAME = /^(trusted_?root|policy)\.json$|\.crl(\.pem)?$/i;

/**
 * Sorts one choice; `waiting` is a bundle that was chosen before. The only file beside bundles is the download,
 * whatever it is called.
 */
export function sortChosen(files: readonly File[], waiting: File | undefined): Choice {
  const chosenBundles = files.filter(({ name }) => BUNDLE_NAME.test(withoutCount(name)));
  const others = files.filter((file) => !chosenBundles.includes(file));
  const isNamedBy = (file: File) => (bundle: File) => bundledName(bundle) === withoutCount(file.name);
  const isEvidence = (file: File): boolean =>
    others.length > 1 && EVIDENCE_NAME.test(withoutCount(file.name)) && !chosenBundles.some(isNamedBy(file));
  const evidence = others.filter(isEvidence);
  const wanted = others.filter((file) => !evidence.includes(file));
  const bundles = new Set(waiting === undefined ? chosenBundles : [...chosenBundles, waiting]);
  const downloads = wanted.map((file): ChosenDownload => {
    const named = [...bundles].find(isNamedBy(file));
    const bundle = named ?? (wanted.length === 1 ? [...bundles][0] : undefined);
    if (bundle !== undefined) bundles.delete(bundle);
    return { file, bundle };
  });
  const next = downloads.length === 0 ? [...bundles][0] : undefined;
  if (next !== undefined) bundles.delete(next);
  return {
    downloads,
    waiting: next,
    unused: [
      ...evidence.map(({ name }): Unused => ({ name, kind: "evidence" })),
      ...[...bundles].map(({ name }): Unused => ({ name, kind: "bundle" })),
    ],
  };
}

/** The name of the file that a bundle's name is made from. */
function bundledName(bundle: File): string {
  return withoutCount(withoutCount(bundle.name).replace(BUNDLE_NAME, ""));
}
