/**
 * `<verify-download>`: lets a reader check a file they downloaded. docs/embedding.md lists attributes,
 * properties, events, parts and slots.
 *
 * The element gathers what a check needs and shows what came of it; the verdict itself is the core's.
 */

import { type Progress, type Report, type VerifyOptions, verify } from "../verify/index.js";
import { sentence } from "../words/sentence.js";
import { type Words, wordsFor } from "../words/words.js";
import { type Offer, Panel } from "./panel.js";
import { DownloadError, canSave, chooseTarget, saveVerified } from "./saving.js";
import {
  POLICY_NAME, type Resolver, type Sources, TRUST_NAME, fileName, linkable, sortChosen, sourceName,
  sourcesFromAttributes,
} from "./sources.js";
import type { State } from "./state.js";
import { styleSheet } from "./style.js";
import { tell } from "./telling.js";
import type { WorkingView } from "./working.js";

/** What `vd-verdict` carries. */
export type VerdictDetail = Pick<Report, "verdict" | "code" | "checks"> & { readonly report: Report };

/** One check on its way. */
interface Run {
  readonly controller: AbortController;
  readonly view: WorkingView;
  readonly sources: Sources;
  /** The file's name as the reader has it. */
  readonly name: string;
}

/** What came of a check, and what else is to be said. */
interface Finished {
  readonly report: Report;
  readonly remarks: readonly Node[];
}

export class VerifyDownload extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ["src", "name", "version", "lang"];

  /** Finds the sources of a chosen file, instead of the attributes: for a page with several downloads. */
  resolver: Resolver | null = null;
  /** Sources that take the place of attributes and resolver, such as files that the reader chose. */
  sources: Partial<Sources> = {};

  readonly #panel: Panel;
  #run: Run | null = null;
  #report: Report | null = null;
  /** A signature that was chosen before its file. */
  #bundle: File | null = null;
  /** A file that is none of those offered, until the reader says which it should be. */
  #unmatched: File | null = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    this.#panel = new Panel(wordsFor(null), {
      chosen: (files) => void this.#chosen(files),
      cancel: () => this.cancel(),
      save: () => void this.#saveOffered(),
    });
    root.append(this.#panel.element);
  }

  connectedCallback(): void {
    this.#describe();
  }

  disconnectedCallback(): void {
    this.cancel();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#describe();
  }

  /** `idle`, `working`, or how the last verdict is shown. */
  get state(): State {
    return this.#panel.state;
  }

  /** The last report; null before the first and while another check runs. */
  get report(): Report | null {
    return this.#report;
  }

  /** The file that waits for the reader to say which download it should be. */
  get unmatched(): File | null {
    return this.#unmatched;
  }

  /** Checks `file`; gives the report, or null when it was cancelled or could not be set up. */
  async check(file: File, sources?: Sources): Promise<Report | null> {
    const found = sources === undefined ? await this.#find(file) : { ...sources, ...this.sources };
    if (found === null) return null;
    const task = async (run: Run): Promise<Finished> => ({
      report: await verify(file, this.#options(run)),
      remarks: [],
    });
    return this.#during(found, file.name, task);
  }

  /**
   * Downloads `address` to a place of the reader's choice and keeps it only if it is verified. Needs a
   * click, as every file picker does, and a browser with `showSaveFilePicker`.
   */
  async save(address: URL, sources: Sources): Promise<Report | null> {
    const target = await chooseTarget(sources.expected ?? fileName(address));
    if (target === null) return null;
    const task = async (run: Run): Promise<Finished> => {
      const report = await saveVerified(address, target, this.#options(run));
      const { panel } = this.#words();
      const remark =
        report.verdict === "verified"
          ? sentence(panel.savedAs, { name: target.name })
          : sentence(panel.notKept);
      return { report, remarks: [remark] };
    };
    return this.#during({ ...sources, ...this.sources }, fileName(address), task);
  }

  /** Shows a report that was made elsewhere, say by `verify` of `@countersign/verify`. */
  show(report: Report): void {
    this.cancel();
    this.#run = null;
    const file = { name: report.artifact.name ?? "FILE" };
    this.#show(report, [], { sources: sourcesFromAttributes(this, file), name: file.name });
  }

  /** Ends the check that runs, if any. */
  cancel(): void {
    this.#run?.controller.abort();
  }

  /** Shows the beginning again. */
  reset(): void {
    this.cancel();
    this.#run = null;
    this.#report = null;
    this.#bundle = null;
    this.#unmatched = null;
    this.#panel.showIdle();
  }

  async #chosen(files: readonly File[]): Promise<void> {
    const { file, bundle, sources } = sortChosen(files);
    this.#bundle = bundle ?? this.#bundle;
    this.sources = { ...this.sources, ...sources };
    if (file !== undefined) {
      await this.check(file);
    } else if (this.#bundle !== null) {
      const { panel } = this.#words();
      this.#panel.showIdle(sentence(panel.onlyBundle, { name: this.#bundle.name }));
    }
  }

  /** The sources for `file`; a bundle chosen with it counts before all others. */
  async #find(file: File): Promise<Sources | null> {
    const bundle = this.#bundle;
    this.#bundle = null;
    const chosen: Partial<Sources> = bundle === null ? {} : { bundle };
    try {
      const offered =
        this.resolver === null
          ? sourcesFromAttributes(this, file)
          : ((await this.resolver(file)) ??
            (this.sources.bundle ?? bundle ? sourcesFromAttributes(this, file) : null));
      if (offered !== null) return { ...offered, ...this.sources, ...chosen };
    } catch (error) {
      this.#misuse(error);
      return null;
    }
    this.#unmatched = file;
    const { panel } = this.#words();
    this.#panel.showIdle(sentence(panel.unmatched, { name: file.name }), panel.unmatchedNote);
    this.#emit("vd-unmatched", { file });
    return null;
  }

  async #saveOffered(): Promise<void> {
    const address = linkable(this.getAttribute("src"), this.baseURI);
    if (address === null) return;
    try {
      await this.save(address, sourcesFromAttributes(this, { name: fileName(address) }));
    } catch (error) {
      this.#misuse(error);
    }
  }

  /** Runs one check to its end and shows it; an older one is cancelled first. */
  async #during(
    sources: Sources,
    name: string,
    task: (run: Run) => Promise<Finished>,
  ): Promise<Report | null> {
    this.cancel();
    this.#report = null;
    this.#unmatched = null;
    const run: Run = {
      controller: new AbortController(),
      view: this.#panel.showWorking(),
      sources,
      name,
    };
    this.#run = run;
    try {
      const { report, remarks } = await task(run);
      if (this.#run === run) this.#show(report, remarks, run);
      return report;
    } catch (error) {
      if (this.#run !== run) return null;
      if (run.controller.signal.aborted) {
        this.#panel.showIdle(sentence(this.#words().panel.cancelled));
        this.#panel.focusInput();
      } else {
        this.#misuse(error);
      }
      return null;
    } finally {
      if (this.#run === run) this.#run = null;
    }
  }

  #options(run: Run): VerifyOptions & { readonly signal: AbortSignal } {
    const { sources } = run;
    return {
      bundle: sources.bundle,
      trust: sources.trust,
      policy: sources.policy,
      revocation: { crls: sources.crls },
      ...(sources.publicKey !== undefined && { publicKey: sources.publicKey }),
      name: sources.expected ?? run.name,
      signal: run.controller.signal,
      onProgress: (progress) => this.#progress(run, progress),
      onStep: (step) => {
        run.view.step(step);
        this.#emit("vd-step", step);
      },
    };
  }

  #progress(run: Run, progress: Progress): void {
    run.view.progress(progress);
    this.#emit("vd-progress", progress);
  }

  #show(report: Report, remarks: readonly Node[], { sources, name }: Pick<Run, "sources" | "name">): void {
    this.#report = report;
    this.#panel.showVerdict({
      report,
      telling: tell(report, sources.labels, this.#words()),
      remarks,
      command: {
        file: name,
        bundle: sourceName(sources.bundle, `${name}.sigstore.json`),
        trust: sourceName(sources.trust, TRUST_NAME),
        policy: sourceName(sources.policy, POLICY_NAME),
        key: sources.publicKey === undefined ? undefined : sourceName(sources.publicKey, "key.pem"),
      },
    });
    const { verdict, code, checks } = report;
    this.#emit("vd-verdict", { verdict, code, checks, report } satisfies VerdictDetail);
  }

  /** Not a verdict: the check was set up wrongly, or there is no download to check. */
  #misuse(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const { panel } = this.#words();
    const remark =
      error instanceof DownloadError
        ? sentence(panel.notDownloaded, { host: error.host })
        : sentence(panel.misuse, { message });
    this.#panel.showIdle(remark);
    this.#emit("vd-error", { message, error });
  }

  #describe(): void {
    this.#panel.setWords(this.#words());
    const address = linkable(this.getAttribute("src"), this.baseURI);
    this.#panel.setOffer(address === null ? null : this.#offer(address));
  }

  #offer(address: URL): Offer {
    const label = [this.getAttribute("name"), this.getAttribute("version")].filter(Boolean).join(" ");
    const name = fileName(address);
    return { href: address.href, fileName: name, label: label || name, canSave: canSave() };
  }

  #words(): Words {
    return wordsFor(this.closest("[lang]")?.getAttribute("lang"));
  }

  #emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Makes `<verify-download>` known to the browser, once. */
export function defineElement(): void {
  if (customElements.get("verify-download") === undefined) {
    customElements.define("verify-download", VerifyDownload);
  }
}
