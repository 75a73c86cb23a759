/** Binds what the page loads to its digests, and writes the policy that a server cannot be trusted to send. */

import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { contentSecurityPolicy } from "./policy.ts";

export function securedPage(): Plugin {
  return {
    name: "secured-page",
    enforce: "post",
    generateBundle(_options, bundle) {
      const html = bundle["index.html"];
      if (html?.type !== "asset") throw new Error("there is no index.html to secure");
      html.source = String(html.source).replace(
        /<(script|link)([^>]*?)\s(src|href)="\.\/([^"]+)"/g,
        (whole, tag: string, before: string, attribute: string, path: string) => {
          if (before.includes('rel="icon"')) return whole;
          const file = bundle[path];
          if (file === undefined) throw new Error(`${path} is not in the bundle`);
          const content = file.type === "chunk" ? file.code : file.source;
          const digest = createHash("sha384").update(content).digest("base64");
          return `<${tag}${before} ${attribute}="./${path}" integrity="sha384-${digest}"`;
        },
      );
      html.source = withPreloadsFirst(html.source);
      const own = "'self'";
      const policy = contentSecurityPolicy({ script: own, style: own, worker: own, image: own });
      html.source = withPolicy(html.source, policy);
    },
  };
}

/** What a script imports is bound to its digest by the preload alone, so that must be known before the script is. */
function withPreloadsFirst(html: string): string {
  const preloads = html.match(/^ *<link rel="modulepreload".*\n/gm) ?? [];
  return preloads
    .reduce((rest, preload) => rest.replace(preload, ""), html)
    .replace(/^ *<script type="module"/m, (script) => preloads.join("") + script);
}

export function withPolicy(html: string, policy: string): string {
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
  return html.replace(/(<meta charset="utf-8" \/>)/, `$1\n    ${meta}`);
}
