/**
 * Redirects, in Node. An address in a certificate, or a redirect, is a stranger's word: it must not make this program ask
 * what only this machine or its network can reach. Browsers follow redirects themselves, by rules of their own, and show
 * nobody where they lead.
 *
 * At most three are followed, to http and https alone, and never from https to http. None leads to this machine, except
 * to the very server that was named; and none to a private network, unless what was named is in one. cli/src/fetch/reach.rs
 * does the same for the command line. It also looks at what a name stands for while it connects; here that is looked up
 * before, and fetch looks it up again.
 */

import { Fault, wordsOf } from "./fault.js";
import { type BlockList, type Modules, nodeModule } from "./node.js";

/** As many as the command line follows. */
const REDIRECTS = 3;

/** How far away an address is; what is closer is less. */
const enum Reach {
  Machine,
  Private,
  Public,
}

const REACH_NAMES = {
  [Reach.Machine]: "this machine",
  [Reach.Private]: "a private network",
  [Reach.Public]: "the internet",
};

/** `0.0.0.0` connects to this machine. */
const MACHINE_V4 = ["0.0.0.0/8", "127.0.0.0/8"];
const MACHINE_V6 = ["::/128", "::1/128"];
/** What IANA's registry of special-purpose addresses does not call globally reachable, multicast, and what is reserved. */
const PRIVATE_V4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
const PRIVATE_V6 = ["64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"];

type Net = Modules["node:net"];
type Dns = Modules["node:dns/promises"];

/**
 * `fetch`, which follows no redirect that leads where it must not.
 *
 * Throws a [`Fault`] `setup.service.redirect` for one that does, and what `fetch` throws.
 */
export async function fetchGuarded(url: URL, request: RequestInit): Promise<Response> {
  const [net, dns] = [nodeModule("node:net"), nodeModule("node:dns/promises")];
  if (!net || !dns) return fetch(url, request);
  let target = url;
  for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
    const response = await fetch(target, { ...request, redirect: "manual" });
    if (!isRedirect(response)) return response;
    await response.body?.cancel();
    target = await new Guard(url, net, dns).next(target, response);
  }
  throw refusal(url, `over ${REDIRECTS} redirects, the last one to ${target.href}`);
}

function isRedirect({ status, type }: Response): boolean {
  return type === "opaqueredirect" || [301, 302, 303, 307, 308].includes(status);
}

/** Looks at the redirects of one request. */
class Guard {
  readonly #named: URL;
  readonly #net: Net;
  readonly #dns: Dns;
  readonly #machine: BlockList;
  readonly #private: BlockList;

  constructor(named: URL, net: Net, dns: Dns) {
    this.#named = named;
    this.#net = net;
    this.#dns = dns;
    this.#machine = blockList(net, MACHINE_V4, MACHINE_V6);
    this.#private = blockList(net, PRIVATE_V4, PRIVATE_V6);
  }

  /** Where a redirect leads, if it may be followed. */
  async next(from: URL, response: Response): Promise<URL> {
    const location = response.headers.get("location") ?? "";
    const found = (why: string) => this.#refusal(`HTTP ${response.status} to ${location.slice(0, 200)}: ${why}`);
    if (location === "" || !URL.canParse(location, from.href)) throw found("not an address");
    const to = new URL(location, from);
    if (to.protocol !== "http:" && to.protocol !== "https:") throw found("neither http:// nor https://");
    if (from.protocol === "https:" && to.protocol === "http:") throw found("from https:// to http://");
    if (to.origin !== this.#named.origin) await this.#checkReach(to);
    return to;
  }

  async #checkReach(to: URL): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the least of them is one of them
    const reach = Math.min(...(await this.#reaches(to))) as Reach;
    const isFar = reach === Reach.Public;
    // A name of both kinds is one of the internet's.
    const staysWithin = reach === Reach.Private && (await this.#reaches(this.#named)).every((named) => named <= reach);
    if (!isFar && !staysWithin) throw this.#refusal(`a redirect leads to ${to.host}, which is ${REACH_NAMES[reach]}`);
  }

  /** From where the host's addresses can be reached: one at least. */
  async #reaches({ hostname }: URL): Promise<Reach[]> {
    const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
    // RFC 6761 §6.3.
    if (host === "localhost" || host.endsWith(".localhost")) return [Reach.Machine];
    if (this.#net.isIP(host) !== 0) return [this.#reachOf(host)];
    const found = await this.#dns.lookup(host, { all: true }).catch((error: unknown) => {
      throw this.#refusal(`a redirect leads to ${host}, which is not found: ${wordsOf(error)}`);
    });
    return found.map(({ address }) => this.#reachOf(address));
  }

  #reachOf(address: string): Reach {
    const family = this.#net.isIP(address) === 4 ? "ipv4" : "ipv6";
    if (this.#machine.check(address, family)) return Reach.Machine;
    return this.#private.check(address, family) ? Reach.Private : Reach.Public;
  }

  #refusal(found: string): Fault {
    return refusal(this.#named, found);
  }
}

function refusal(named: URL, found: string): Fault {
  return new Fault("setup.service.redirect", named.href, null, found);
}

/** With the forms in which IPv6 carries an address of IPv4. */
function blockList({ BlockList }: Net, v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of v4) {
    const [address, prefix] = parsed(network);
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    const words = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    list.addSubnet(address, prefix, "ipv4");
    list.addSubnet(`::ffff:${words}`, 96 + prefix, "ipv6");
    // NAT64 and 6to4.
    list.addSubnet(`64:ff9b::${words}`, 96 + prefix, "ipv6");
    list.addSubnet(`2002:${words}::`, 16 + prefix, "ipv6");
  }
  for (const network of v6) list.addSubnet(...parsed(network), "ipv6");
  return list;
}

function parsed(network: string): [address: string, prefix: number] {
  const [address = "", prefix] = network.split("/");
  return [address, Number(prefix)];
}
