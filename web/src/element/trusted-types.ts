/** The one Trusted Types policy, `countersign`: it lets the worker's address through and nothing else. */

interface Policy {
  createScriptURL(address: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy;
}

/** The address in the form that a page's policy demands. */
export function allowWorker(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
  if (trustedTypes === undefined) return address;
  const policy = trustedTypes.createPolicy("countersign", {
    createScriptURL: (asked) => {
      if (asked !== address) throw new TypeError("only the worker of this page may be started");
      return asked;
    },
  });
  // A TrustedScriptURL is taken wherever the DOM's types say string.
  return policy.createScriptURL(address) as string;
}
