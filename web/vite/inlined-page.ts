/** The page as one file that works from a disk: script, style, worker and WebAssembly are all in it. */

import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { contentSecurityPolicy } from "./policy.ts";
import { withPolicy } from "./secured-page.ts";

export const OFFLINE_NAME = "countersign-verify.html";

export function inlinedPage(): Plugin {
  return {
    name: "inlined-page",
    enforce: "post",
    transformIndexHtml: {
      order: "pre",
      handler: (html) => html.replace("/src/page/online.ts", "/src/page/offline.ts"),
    },
    generateBundle(_options, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("there is no index.html to inline into");
      const hashes: { script: string[]; style: string[] } = { script: [], style: [] };
      let html = String(page.source);
      html = html.replace(/<script type="module"[^>]*src="\.\/([^"]+)"[^>]*><\/script>/g, "");
      html = html.replace(/<link rel="stylesheet"[^>]*href="\.\/([^"]+)"[^>]*>/g, "");
      for (const [path, file] of Object.entries(bundle)) {
        if (path === "index.html") continue;
        delete bundle[path];
        if (file.type === "chunk") {
          // In a script only this sequence ends it.
          const code = file.code.replaceAll("</script", "<\\/script");
          hashes.script.push(hash(code));
          html = html.replace("</body>", () => `<script type="module">${code}</script>\n  </body>`);
        } else if (path.endsWith(".css")) {
          const text = String(file.source);
          hashes.style.push(hash(text));
          html = html.replace("</head>", () => `<style>${text}</style>\n  </head>`);
        } else if (path.endsWith(".svg")) {
          const data = Buffer.from(file.source).toString("base64");
          html = html.replaceAll(`./${path}`, `data:image/svg+xml;base64,${data}`);
        } else {
          throw new Error(`${path} would not be in the one file`);
        }
      }
      const policy = contentSecurityPolicy({
        script: hashes.script.join(" "),
        style: hashes.style.join(" "),
        worker: "blob:",
        image: "data:",
      });
      delete bundle["index.html"];
      this.emitFile({ type: "asset", fileName: OFFLINE_NAME, source: withPolicy(html, policy) });
    },
  };
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
