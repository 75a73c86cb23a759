/** The page's Content-Security-Policy. Revocation lists are wherever certificates say, so any server may be asked. */

export interface Origins {
  readonly script: string;
  readonly style: string;
  readonly worker: string;
}

export function contentSecurityPolicy({ script, style, worker }: Origins): string {
  return [
    "default-src 'none'",
    `script-src ${script} 'wasm-unsafe-eval'`,
    `style-src ${style}`,
    "connect-src 'self' https: http:",
    `worker-src ${worker}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types countersign",
  ].join("; ");
}
