/**
 * One verification from end to end, in whatever thread it runs: fetch, compare the size, hash, ask about revocation,
 * judge. The verdict is the core's; nothing here decides one.
 */

import { type Instance, loadModule, type Verification, withInstance } from "./engine.js";
import { Fault, isAbort, throwIfAborted, wordsOf } from "./fault.js";
import { fileSize, hash, type Readable } from "./hashing.js";
import { faults, limits, type Report } from "./report.js";
import { RevocationInquiry, type RevocationTask } from "./revocation.js";
import { bytesOf, type WireSource } from "./source.js";
import type { Progress, Step } from "./types.js";

/** The artifact as it travels to a worker. */
export type WireArtifact =
  | { kind: "blob"; blob: Blob }
  | { kind: "file"; url: string }
  | { kind: "stream"; stream: ReadableStream<Uint8Array>; size: number | null }
  | { kind: "digests"; digests: string[]; size: number | null; beginning: Uint8Array | null };

/** What a verification needs, in a form that can be posted to a worker. */
export interface CheckRequest {
  artifact: WireArtifact;
  bundle: WireSource;
  trust: WireSource;
  policy: WireSource;
  publicKey: WireSource | null;
  crls: WireSource[];
  ocspResponses: WireSource[];
  network: "fetch" | "none";
  name: string | null;
  offeredAs: string | null;
  /** What becomes of a file under another name, where the policy does not say. */
  names: "noted" | "exact";
  /** null: the clock at the time of judging. */
  nowSeconds: number | null;
}

export interface CheckListener {
  signal: AbortSignal | undefined;
  onProgress: (progress: Progress) => void;
  onStep: (step: Step) => void;
}

/** The report. Throws the signal's reason and nothing else. */
export async function check(
  load: () => Promise<WebAssembly.Module>,
  request: CheckRequest,
  listener: CheckListener,
): Promise<Report> {
  const { signal, onStep } = listener;
  const nowSeconds = request.nowSeconds ?? Math.floor(Date.now() / 1000);
  try {
    throwIfAborted(signal);
    onStep({ step: "load", state: "begun" });
    // Both at once; what was asked for and fails is told when it is needed.
    const fetching = fetchInputs(request, listener);
    fetching.catch(() => {});
    const module = await load();
    onStep({ step: "load", state: "done" });
    return await withInstance(module, async (instance) => {
      try {
        return await judge(instance, await fetching, request, nowSeconds, listener);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return faultReport(instance, error, request, nowSeconds);
      }
    });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throwIfAborted(signal);
    return reportWithoutCore(error, request, nowSeconds);
  }
}

interface Inputs {
  bundle: Uint8Array;
  trust: Uint8Array;
  policy: Uint8Array;
  publicKey: Uint8Array | null;
}

type Input = "bundle" | "trust" | "policy" | "publicKey";

async function fetchInputs(request: CheckRequest, { signal, onStep }: CheckListener): Promise<Inputs> {
  const one = async (step: Input): Promise<Uint8Array> => {
    const source = request[step] ?? { bytes: new Uint8Array() };
    const url = "url" in source ? { url: source.url } : {};
    onStep({ step, state: "begun", ...url });
    try {
      const bytes = await bytesOf(source, {
        maxBytes: limits[step],
        tooLarge: step === "bundle" ? "bundle.too-large" : "setup.input.too-large",
        notFound: step === "bundle" ? "bundle.not-found" : "setup.site.file-missing",
        signal,
        request: { credentials: "same-origin" },
      });
      onStep({ step, state: "done", ...url });
      return bytes;
    } catch (error) {
      if (!isAbort(error, signal)) onStep({ step, state: "failed", ...url, reason: wordsOf(error) });
      throw error;
    }
  };
  // What was asked for first is told first: without the trust root nothing else matters.
  const key = request.publicKey ? one("publicKey") : Promise.resolve(null);
  const [trust, policy, publicKey, bundle] = await Promise.allSettled([
    one("trust"),
    one("policy"),
    key,
    one("bundle"),
  ]);
  return { trust: had(trust), policy: had(policy), publicKey: had(publicKey), bundle: had(bundle) };
}

function had<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

async function judge(
  instance: Instance,
  inputs: Inputs,
  request: CheckRequest,
  nowSeconds: number,
  listener: CheckListener,
): Promise<Report> {
  const { signal, onStep } = listener;
  const { artifact } = request;
  const verification = new instance.Verification(inputs.bundle, inputs.trust, inputs.policy, nowSeconds);
  if (inputs.publicKey) verification.setKey(inputs.publicKey);
  if (request.names === "exact") verification.preferExactNames();
  if (request.offeredAs !== null) verification.setOfferedAs(request.offeredAs);
  const name = request.name ?? undefined;
  const size = artifact.kind === "file" ? await fileSize(new URL(artifact.url)) : (sizeOf(request) ?? undefined);
  verification.setArtifact(name, size);
  // Nobody waits for answers that nobody needs any more.
  const over = new AbortController();
  const asking = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const begun = performance.now();
  const task: RevocationTask = { begun, nowSeconds, instance, verification, signal: asking, onStep };
  try {
    const plan = planOf(verification, artifact);
    // Revocation is asked about while the file is read; a file that is cut short is told at once.
    const network = plan === "tell at once" ? "none" : request.network;
    const inquiry = new RevocationInquiry(task, { ...request, network });
    const fetching = inquiry.begin();
    fetching.catch(() => {});
    const read = await digestsOf(instance, verification, plan, artifact, size, listener);
    for (const digest of read.digests) verification.addDigest(digest);
    if (read.beginning) verification.setBeginning(read.beginning);
    verification.setArtifact(name, read.size);
    await fetching;
    await inquiry.goOn();
    throwIfAborted(signal);
    onStep({ step: "verify", state: "begun" });
    const report = JSON.parse(verification.report()) as Report;
    onStep({ step: "verify", state: "done" });
    return report;
  } finally {
    over.abort();
  }
}

/** What to read of the file, or that reading it cannot change the answer. */
type Plan = { algorithms: string[]; content: boolean } | "tell at once";

function planOf(verification: Verification, artifact: WireArtifact): Plan {
  if (artifact.kind === "digests") return { algorithms: [], content: false };
  const plan = JSON.parse(verification.plan()) as { algorithms: string[]; content: boolean };
  return plan.algorithms.length === 0 ? "tell at once" : plan;
}

/** The file's digests and size; the core gets the file itself where its signature is over that. */
async function digestsOf(
  instance: Instance,
  verification: Verification,
  plan: Plan,
  artifact: WireArtifact,
  size: number | undefined,
  { signal, onProgress, onStep }: CheckListener,
): Promise<{ digests: string[]; size: number | undefined; beginning: Uint8Array | null }> {
  if (artifact.kind === "digests") return { digests: artifact.digests, size, beginning: artifact.beginning };
  if (plan === "tell at once") {
    if (artifact.kind === "stream") await artifact.stream.cancel().catch(() => {});
    return { digests: [], size, beginning: null };
  }
  onStep({ step: "hash", state: "begun" });
  const hashed = await hash(instance, readable(artifact), {
    algorithms: plan.algorithms,
    total: size ?? null,
    signal,
    onProgress,
    ...(plan.content ? { write: async (piece: Uint8Array) => verification.addContent(piece) } : {}),
  });
  onStep({ step: "hash", state: "done" });
  return hashed;
}

function readable(artifact: Exclude<WireArtifact, { kind: "digests" }>): Readable {
  switch (artifact.kind) {
    case "blob":
      return artifact.blob;
    case "file":
      return new URL(artifact.url);
    case "stream":
      return artifact.stream;
  }
}

/** The report of a fault that was met before the verification began. */
export async function reportOf(fault: Fault, request: CheckRequest): Promise<Report> {
  const nowSeconds = request.nowSeconds ?? Math.floor(Date.now() / 1000);
  return withInstance(await loadModule(), (instance) => faultReport(instance, fault, request, nowSeconds));
}

function faultReport(instance: Instance, fault: Fault, request: CheckRequest, nowSeconds: number): Report {
  const text = instance.reportOfFault(
    fault.code,
    fault.about ?? undefined,
    fault.expected ?? undefined,
    fault.found ?? undefined,
    request.name ?? undefined,
    sizeOf(request) ?? undefined,
    nowSeconds,
  );
  return JSON.parse(text) as Report;
}

function sizeOf({ artifact }: CheckRequest): number | null {
  switch (artifact.kind) {
    case "blob":
      return artifact.blob.size;
    case "file":
      return null;
    default:
      return artifact.size;
  }
}

/** A trap, a mistake of ours, or no module: the core cannot say it, so it is said without. */
export function reportWithoutCore(error: unknown, request: CheckRequest, nowSeconds: number): Report {
  const told = error instanceof Fault ? faults[error.code] : undefined;
  const report = structuredClone(told ?? faults["internal.error"]);
  const [finding] = report.findings;
  if (finding) {
    finding.found = wordsOf(error).slice(0, 200);
    if (error instanceof Fault) {
      finding.subject = error.about;
      finding.expected = error.expected;
    }
  }
  report.artifact.name = request.name?.slice(0, 200) ?? null;
  report.artifact.size = sizeOf(request);
  report.checked_at = `${new Date(nowSeconds * 1000).toISOString().slice(0, 19)}Z`;
  return report;
}
