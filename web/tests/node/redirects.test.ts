/** Redirects in Node: they lead nowhere that the address that was named could not reach. */

import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, beforeEach, mock, test } from "node:test";
import { forgetCrls, type Step, verify } from "@countersign/verify";
import { caseOf, FILE } from "./corpus.js";

const listed = caseOf("crl-genuine");
const realFetch = globalThis.fetch;
const servers: Server[] = [];

beforeEach(() => forgetCrls());

afterEach(() => {
  globalThis.fetch = realFetch;
  mock.restoreAll();
});

after(() => {
  for (const server of servers) server.close();
});

/** A server on loopback; where it is. */
async function serving(listener: RequestListener): Promise<string> {
  const server = createServer({ keepAlive: false }, listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The code of a check whose policy is at that address. */
async function codeOf(policy: string): Promise<string | null> {
  return (await verify(new Blob([FILE]), { ...listed.options, policy })).code;
}

/** Plays the internet: what each address answers; the addresses that were asked. */
function internet(answers: { [url: string]: () => Response }): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (input) => {
    asked.push(String(input));
    return answers[String(input)]?.() ?? new Response("", { status: 404 });
  };
  return asked;
}

function to(location: string, status = 302): () => Response {
  return () => new Response(null, { status, headers: { location } });
}

/** What names stand for. */
function names(table: { [name: string]: string[] }): void {
  mock.method(dns, "lookup", async (name: string) => {
    const found = table[name];
    if (!found) throw new Error(`no ${name}`);
    return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  });
}

test("a redirect on this machine leads to the very same server alone", async () => {
  const asked: string[] = [];
  const inner = await serving((request, response) => {
    asked.push(request.url ?? "");
    response.end(listed.text("policy.json"));
  });
  const outer = await serving(({ url }, response) => {
    if (url === "/policy.json") return void response.end(listed.text("policy.json"));
    const location = url === "/same" ? "/policy.json" : `${inner}/policy.json`;
    response.writeHead(302, { location }).end();
  });
  assert.equal(await codeOf(`${outer}/same`), null);
  assert.equal(await codeOf(`${outer}/other`), "setup.service.redirect");
  assert.deepEqual(asked, []);
});

test("no redirect of a CRL's address leads to this machine or a private network", async () => {
  names({
    "evil.example": ["8.8.8.8", "127.0.0.1"],
    "intranet.example": ["10.1.2.3"],
    "revocation.example": ["8.8.8.8"],
  });
  for (const target of [
    "127.0.0.1",
    "localhost",
    "localhost.",
    "a.localhost",
    "2130706433",
    "0x7f.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "[fd00::1]",
    "[fe80::1]",
    "[64:ff9b::a00:1]",
    "evil.example",
    "intranet.example",
    "unknown.example",
  ]) {
    for (const status of [301, 302, 303, 307, 308]) {
      const asked: string[] = [];
      globalThis.fetch = async (input) => {
        asked.push(String(input));
        return to(`http://${target}:9200/`, status)();
      };
      const steps: Step[] = [];
      await verify(new Blob([FILE]), {
        ...listed.options,
        revocation: { network: "fetch" },
        onStep: (step) => steps.push(step),
      });
      assert.ok(asked.length > 0);
      assert.ok(
        asked.every((url) => url.startsWith("http://revocation.example/")),
        `${asked}`,
      );
      const failed = steps.find(({ step, state }) => step === "revocation" && state === "failed");
      assert.match(failed?.reason ?? "", /a redirect leads to /, target);
    }
  }
});

test("a redirect is followed to elsewhere on the internet, three times, and never out of TLS", async () => {
  names({ "a.example": ["8.8.8.8"], "b.example": ["2606:4700::1"] });
  const policy = () => new Response(listed.text("policy.json"));
  const [a, b] = ["https://a.example", "https://b.example"];
  internet({ [`${a}/`]: to(`${b}/1`), [`${b}/1`]: to("2", 308), [`${b}/2`]: to(`${a}/3`), [`${a}/3`]: policy });
  assert.equal(await codeOf(`${a}/`), null);
  internet({
    [`${a}/`]: to("/1"),
    [`${a}/1`]: to("/2"),
    [`${a}/2`]: to("/3"),
    [`${a}/3`]: to("/4"),
    [`${a}/4`]: policy,
  });
  assert.equal(await codeOf(`${a}/`), "setup.service.redirect");
  for (const location of ["http://b.example/", "ftp://b.example/", "file:///etc/passwd", "http://["]) {
    const asked = internet({ [`${a}/`]: to(location), "http://b.example/": policy });
    assert.equal(await codeOf(`${a}/`), "setup.service.redirect", location);
    assert.deepEqual(asked, [`${a}/`]);
  }
});

test("within a private network, a redirect leads on in it, and not to this machine", async () => {
  names({ "pki.corp": ["10.0.0.1"], "crl.corp": ["10.0.0.2"], "here.corp": ["127.0.0.1"] });
  const policy = () => new Response(listed.text("policy.json"));
  internet({ "http://pki.corp/": to("https://crl.corp/"), "https://crl.corp/": policy });
  assert.equal(await codeOf("http://pki.corp/"), null);
  const asked = internet({ "http://pki.corp/": to("http://here.corp/") });
  assert.equal(await codeOf("http://pki.corp/"), "setup.service.redirect");
  assert.deepEqual(asked, ["http://pki.corp/"]);
});
