/** Which download of a release a chosen file is: by name, else by size, else by digest. */

import { hashAndWrite } from "../verify/index.js";
import { type Download, type Release, candidates } from "./release.js";

/** The download, or null when it is none of them or could be several. */
export async function matchDownload(release: Release, file: File): Promise<Download | null> {
  const found = candidates(release, file);
  if (found.length <= 1) return found[0] ?? null;
  // Several of one size: only then is the file read before it is checked.
  const algorithms = new Set(found.flatMap((download) => algorithmOf(download.digest) ?? []));
  if (algorithms.size === 0) return null;
  const options = { algorithms: [...algorithms], size: file.size };
  let digests: readonly string[];
  try {
    ({ digests } = await hashAndWrite(file.stream(), new WritableStream(), options));
  } catch {
    // What keeps the module from running is told by the check, once somebody says which download it is.
    return null;
  }
  return found.find((download) => digests.includes(download.digest ?? "")) ?? null;
}

function algorithmOf(text: string | undefined): "sha256" | "sha384" | null {
  const algorithm = text?.split(":")[0];
  return algorithm === "sha256" || algorithm === "sha384" ? algorithm : null;
}
