/** The page's Content-Security-Policy. Revocation lists are wherever certificates say, so any server may be asked. */

export interface Origins {
  readonly script: string;
  readonly style: string;
  readonly worker: string;
  readonly image: string;
}

export function contentSecurityPolicy({ script, style, worker, image }: Origins): string {
  return [
    "default-src 'none'",
    `script-src ${script} 'wasm-unsafe-eval'`,
    `style-src ${style}`,
    "connect-src 'self' https: http:",
    `img-src ${image}`,
    `worker-src ${worker}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types countersign",
  ].join("; ");
}
