/**
 * Builds what browsers load, one at a time: `vite build --mode worker`, then `page`, `element` or `offline`.
 *
 * Assets bear their hash in their names, so that a browser's cache never mixes two versions; the element's entry
 * alone has a name that sites can write down.
 */

import { defineConfig, type UserConfig } from "vite";
import { givenAddresses } from "./vite/given-addresses.ts";
import { inlinedPage } from "./vite/inlined-page.ts";
import { securedPage } from "./vite/secured-page.ts";
import { sharedWorker } from "./vite/shared-worker.ts";

const common: UserConfig = {
  base: "./",
  publicDir: false,
  build: {
    target: ["chrome123", "firefox128", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    emptyOutDir: true,
  },
};

const modes: Readonly<Record<string, () => UserConfig>> = {
  // What the offline page carries as text.
  worker: () => ({
    ...common,
    plugins: [givenAddresses()],
    build: {
      ...common.build,
      outDir: "dist/worker",
      rolldownOptions: {
        input: "src/verify/worker.ts",
        output: { entryFileNames: "worker.js", format: "iife" },
      },
    },
  }),
  page: () => ({
    ...common,
    plugins: [givenAddresses(), sharedWorker(), securedPage()],
    build: { ...common.build, outDir: "dist/page", modulePreload: { polyfill: false } },
  }),
  element: () => ({
    ...common,
    worker: { format: "es", plugins: () => [givenAddresses()] },
    plugins: [givenAddresses()],
    build: {
      ...common.build,
      outDir: "dist/element",
      rolldownOptions: {
        input: "src/element/define.ts",
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "verify-download.js" },
      },
    },
  }),
  offline: () => ({
    ...common,
    plugins: [givenAddresses(), inlinedPage()],
    build: { ...common.build, outDir: "dist/offline", assetsInlineLimit: 1e9 },
  }),
};

export default defineConfig(({ mode }) => {
  const config = modes[mode];
  if (config === undefined) throw new Error(`--mode is one of ${Object.keys(modes).join(", ")}, not ${mode}`);
  return config();
});
