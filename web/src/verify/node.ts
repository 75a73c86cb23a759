/**
 * What Node has and browsers have not. It is asked for by name at run time, so that no bundler has to know of it; where
 * there is no Node there is nothing.
 */

export interface BlockList {
  addSubnet(network: string, prefix: number, family: "ipv4" | "ipv6"): void;
  check(address: string, family: "ipv4" | "ipv6"): boolean;
}

interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/** The modules that are used, and what is used of them. */
export interface Modules {
  "node:net": { BlockList: new () => BlockList; isIP(text: string): 0 | 4 | 6 };
  "node:dns/promises": { lookup(host: string, options: { all: true }): Promise<{ address: string }[]> };
  "node:fs/promises": {
    readFile(url: URL): Promise<Uint8Array>;
    open(url: URL): Promise<FileHandle>;
    stat(url: URL): Promise<{ size: number; isFile(): boolean }>;
  };
  "node:crypto": { createHash(name: string): { update(octets: Uint8Array): void; digest(form: "hex"): string } };
}

/** A module of Node's own. */
export function nodeModule<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
  interface NodeProcess {
    getBuiltinModule?(wanted: Name): Modules[Name] | undefined;
  }
  const { process } = globalThis as unknown as { process?: NodeProcess };
  return process?.getBuiltinModule?.(name);
}

/** A file's bytes where there is Node. */
export async function readFile(url: URL): Promise<Uint8Array | undefined> {
  return nodeModule("node:fs/promises")?.readFile(url);
}
