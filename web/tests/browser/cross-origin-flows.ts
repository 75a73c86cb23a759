/** The revocation service asked by a page of another origin, with the browser's own fetch: what CORS headers are for. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Visit } from "./driver.js";
import { crlFolder, ocspRequestFile, pageAddress, revocationOrigins } from "./setting.js";
import { type Stand, flow } from "./stand.js";

const OCSP_REQUEST = "application/ocsp-request";
const OCSP_RESPONSE = "application/ocsp-response";

interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, in base64. */
  readonly body?: string;
}

/** What a script of the page could read of an answer. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, in base64. */
  readonly body: string;
}

const [service = ""] = revocationOrigins;

/** Fetches as a script of the page does; "refused" is all that a script learns of an answer that it may not read. */
function fetchInPage({ page }: Visit, url: string, question: Question = {}): Promise<Answer | "refused"> {
  return page.evaluate(
    async (address: string, { method, headers, body }: Question) => {
      const octets = body === undefined ? undefined : Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
      const request: RequestInit = { method: method ?? "GET", headers: headers ?? {}, credentials: "omit" };
      if (octets !== undefined) request.body = octets;
      let response: Response;
      try {
        response = await fetch(address, request);
      } catch (error) {
        if (error instanceof TypeError) return "refused" as const;
        throw error;
      }
      const content = new Uint8Array(await response.arrayBuffer());
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: btoa(Array.from(content, (octet) => String.fromCharCode(octet)).join("")),
      };
    },
    url,
    question,
  );
}

async function read(visit: Visit, url: string, question?: Question): Promise<Answer> {
  const answer = await fetchInPage(visit, url, question);
  if (answer === "refused") assert.fail(`${url} is not for pages of other origins`);
  return answer;
}

export function crossOriginFlows(stand: Stand): void {
  const list = `${service}/crl/signing.crl`;

  flow(stand, "a CRL can be read, asked for again and read in part", {}, async (visit) => {
    assert.notEqual(new URL(pageAddress).origin, service, "another origin");
    const whole = await read(visit, list);
    const octets = Buffer.from(whole.body, "base64");
    assert.equal(whole.status, 200);
    assert.equal(whole.headers["content-type"], "application/pkix-crl");
    assert.match(whole.headers["x-request-id"] ?? "", /./);
    assert.ok(octets.equals(await readFile(join(crlFolder, "signing.crl"))), "the very list");
    // A header that needs the service's leave.
    const tag = whole.headers["etag"] ?? "";
    assert.equal((await read(visit, list, { headers: { "If-None-Match": tag } })).status, 304);
    const part = await read(visit, list, { headers: { Range: "bytes=0-99", "If-Range": tag } });
    assert.equal(part.status, 206);
    assert.equal(part.headers["content-range"], `bytes 0-99/${octets.length}`);
    assert.ok(Buffer.from(part.body, "base64").equals(octets.subarray(0, 100)));
  });

  flow(stand, "OCSP answers by POST, after a preflight, and by GET", {}, async (visit) => {
    const request = (await readFile(ocspRequestFile)).toString("base64");
    const headers = { "Content-Type": OCSP_REQUEST };
    const posted = await read(visit, `${service}/ocsp`, { method: "POST", headers, body: request });
    const got = await read(visit, `${service}/ocsp/${encodeURIComponent(request)}`);
    for (const answer of [posted, got]) {
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], OCSP_RESPONSE);
      // OCSPResponse with responseStatus successful.
      assert.match(Buffer.from(answer.body, "base64").toString("hex"), /^3082.{4}0a0100/);
    }
    assert.equal(posted.body, got.body, "the same kept answer");
    // What fails can be read too.
    const empty = await read(visit, `${service}/ocsp`, { method: "POST", headers, body: "" });
    assert.equal(Buffer.from(empty.body, "base64").toString("hex"), "30030a0101", "malformedRequest");
    const missing = await read(visit, `${service}/crl/nobody.crl`);
    assert.equal(missing.headers["content-type"], "application/problem+json");
  });

  flow(stand, "the browser does keep from pages what is not for them", {}, async (visit) => {
    assert.equal(await fetchInPage(visit, `${service}/readyz`), "refused");
    assert.equal(await fetchInPage(visit, list, { method: "PUT" }), "refused");
    assert.equal(await fetchInPage(visit, list, { headers: { "X-Other": "1" } }), "refused");
  });
}
