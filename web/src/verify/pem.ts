/** PEM (RFC 7468), of which only the first block of the wanted label is read. */

const HEAD = "-----BEGIN";

/** DER out of PEM with that label; other bytes as they are, for the core to judge. */
export function unarmoured(bytes: Uint8Array, label: string): Uint8Array {
  const latin1 = new TextDecoder("latin1");
  if (latin1.decode(bytes.subarray(0, HEAD.length)) !== HEAD) return bytes;
  const [, after] = latin1.decode(bytes).split(`-----BEGIN ${label}-----`);
  const [body] = after?.split(`-----END ${label}-----`) ?? [];
  try {
    return Uint8Array.from(atob((body ?? "").replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    return bytes;
  }
}
