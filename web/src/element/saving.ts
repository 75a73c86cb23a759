/**
 * Checking while saving: the download is hashed as it is written to a file of the reader's choice, and
 * the file is only put in place when it is verified. The browser keeps what is written in a temporary
 * file until then, so that nothing that is not genuine ever bears the name.
 */

import { type Report, type VerifyOptions, verifyAndSave } from "../verify/index.js";

type SavePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

/** The picker, where the browser has one. */
function picker(): SavePicker | undefined {
  return (window as { showSaveFilePicker?: SavePicker }).showSaveFilePicker;
}

export function canSave(): boolean {
  return picker() !== undefined;
}

/** Asks where to save, before anything is requested; null when the reader changed their mind. */
export async function chooseTarget(suggestedName: string): Promise<FileSystemFileHandle | null> {
  const pick = picker();
  if (pick === undefined) return null;
  try {
    return await pick.call(window, { suggestedName });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

/** The download could not be had. */
export class DownloadError extends Error {
  constructor(
    readonly host: string,
    reason: string,
  ) {
    super(`${host}: ${reason}`);
  }
}

/** Fetches `address` into `target`, which keeps it only when the verdict is "verified". */
export async function saveVerified(
  address: URL,
  target: FileSystemFileHandle,
  options: VerifyOptions & { readonly signal: AbortSignal },
): Promise<Report> {
  // The picker makes the file; one that was there before is the reader's and stays as it was.
  const isNew = (await target.getFile()).size === 0;
  let report: Report | undefined;
  try {
    const response = await fetched(address, options.signal);
    const size = Number(response.headers.get("content-length") ?? "") || undefined;
    const writable = await target.createWritable();
    report = await verifyAndSave(response.body, writable, { ...options, ...(size && { size }) });
    return report;
  } finally {
    if (isNew && report?.verdict !== "verified") await removed(target);
  }
}

/** Takes the empty file away, where the browser can. */
async function removed(target: FileSystemFileHandle & { remove?(): Promise<void> }): Promise<void> {
  try {
    await target.remove?.();
  } catch {
    // An empty file bears the name then, which opens as nothing.
  }
}

async function fetched(address: URL, signal: AbortSignal): Promise<Response & { body: ReadableStream<Uint8Array> }> {
  let response: Response;
  try {
    response = await fetch(address, { signal, referrerPolicy: "no-referrer" });
  } catch (error) {
    signal.throwIfAborted();
    throw new DownloadError(address.host, String(error));
  }
  const { body } = response;
  if (!response.ok || body === null) {
    throw new DownloadError(address.host, `HTTP ${response.status}`);
  }
  return response as Response & { body: ReadableStream<Uint8Array> };
}
