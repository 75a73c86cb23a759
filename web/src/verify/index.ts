/**
 * `@countersign/verify`: is this the file that was published, who signed it, when, and is the signer still trusted?
 *
 * The verdict is made by Countersign's verification core in WebAssembly, the same that the command line runs. Nothing
 * leaves the machine but requests for what is named: bundle, trust root, policy, and revocation lists.
 */

export { forgetCrls } from "./crl-cache.js";
export { setWasm, type WasmSource } from "./engine.js";
export type { FindingCode, FindingText } from "./findings.js";
export type { Hashed } from "./hashing.js";
export type { Certificate, Finding, Report } from "./report.js";
export { setWorker, warmUp } from "./runner.js";
export { hashAndWrite, type HashAndWriteOptions, planFor, type Plan, verifyAndSave } from "./saving.js";
export type { Artifact, KnownDigests, Progress, Revocation, Source, Step, StepName, VerifyOptions } from "./types.js";
export { verify } from "./verify.js";
