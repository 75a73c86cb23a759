// What the page would say: `countersign verify`'s arguments in, the report of @countersign/verify out, as JSON.
//
// Knows only the options that the story uses; the story compares the two reports.

import { pathToFileURL } from "node:url";

const [file, ...rest] = process.argv.slice(2);
const options = { crls: [], network: "fetch" };
for (let index = 0; index < rest.length; index += 1) {
  switch (rest[index]) {
    case "--trusted-root":
      options.trust = pathToFileURL(rest[(index += 1)]);
      break;
    case "--policy":
      options.policy = pathToFileURL(rest[(index += 1)]);
      break;
    case "--certificate-identity":
      options.policy = { version: 1, signers: [{ files: ["**"], identities: [rest[(index += 1)]] }] };
      break;
    case "--offline":
      options.network = "none";
      break;
    case "--no-cache":
      // Every run of this program begins without one.
      break;
    case "--crl":
      while (index + 1 < rest.length && !rest[index + 1].startsWith("--")) {
        options.crls.push(pathToFileURL(rest[(index += 1)]));
      }
      break;
    default:
      throw new Error(`${rest[index]} is unknown here`);
  }
}

const { verify } = await import(pathToFileURL(`${process.env.COUNTERSIGN_VERIFY}/index.js`).href);
const { openAsBlob } = await import("node:fs");
const report = await verify(await openAsBlob(file), {
  bundle: pathToFileURL(`${file}.sigstore.json`),
  trust: options.trust,
  policy: options.policy,
  revocation: { crls: options.crls, network: options.network },
  name: file.split("/").pop(),
});
console.log(JSON.stringify(report));
