/**
 * `<verify-download>`: lets a reader check a file they downloaded. docs/embedding.md lists attributes,
 * properties, events, parts and slots.
 *
 * The element gathers what a check needs and shows what came of it; the verdict itself is the core's.
 */

import { type Progress, type Report, type VerifyOptions, verify } from "../verify/index.js";
import { plain, sentence } from "../words/sentence.js";
import { type Words, wordsFor } from "../words/words.js";
import { type Offer, Panel, type Shown } from "./panel.js";
import { DownloadError, canSave, chooseTarget, saveVerified } from "./saving.js";
import { type ChosenDownload, type Unused, sortChosen } from "./choice.js";
import { type OwnSources, ownTrustOf, ownView, restingOn } from "./own.js";
import { type Result, uncheckedView } from "./several.js";
import {
  POLICY_NAME,
  type Resolver,
  type Sources,
  TRUST_NAME,
  fileName,
  linkable,
  sourceName,
  sourcesFromAttributes,
} from "./sources.js";
import type { State } from "./state.js";
import { styleSheet } from "./style.js";
import { tell } from "./telling.js";
import type { WorkingView } from "./working.js";

/** What `vd-verdict` carries. */
export type VerdictDetail = Pick<Report, "verdict" | "code" | "checks"> & {
  readonly report: Report;
  /** The file's name as the reader has it. */
  readonly name: string;
  /** `visitor`: the verdict rests on a trust root, a policy or a key of the visitor's own. */
  readonly trust: "site" | "visitor";
};

/** One check on its way. */
interface Run {
  readonly controller: AbortController;
  readonly view: WorkingView;
  readonly sources: Sources;
  /** What of the reader's own files is among the sources. */
  readonly own: OwnSources;
  /** The file's name as the reader has it. */
  readonly name: string;
}

/** What came of a check, and what else is to be said. */
interface Finished {
  readonly report: Report;
  readonly remarks: readonly Node[];
}

/** What the page that this element is in has for a file, or why it has nothing. */
type Found = Sources | "unmatched" | "own files missing";

export class VerifyDownload extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ["src", "name", "version", "lang", "own-trust"];

  /** Finds the sources of a chosen file, instead of the attributes: for a page with several downloads. */
  resolver: Resolver | null = null;
  /** Sources that take the place of attributes and resolver. For the site's code: never a visitor's files. */
  sources: Partial<Sources> = {};

  readonly #panel: Panel;
  /** What the reader chose in the form for files of their own. */
  #own: OwnSources = {};
  #ownTrust: string | null = null;
  #running: AbortController | null = null;
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

  /** `idle`, `working`, how the last verdict is shown, or `several`. */
  get state(): State {
    return this.#panel.state;
  }

  /** The last report; null before the first, while another check runs, and if several files were checked. */
  get report(): Report | null {
    return this.#report;
  }

  /** The file that waits for the reader to say which download it should be. */
  get unmatched(): File | null {
    return this.#unmatched;
  }

  /** Checks `file`; gives the report, or null when it was cancelled or could not be set up. */
  async check(file: File, sources?: Sources): Promise<Report | null> {
    const bundle = this.#bundle ?? undefined;
    this.#bundle = null;
    return this.#checkOne({ file, bundle }, [], sources);
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
        report.verdict === "verified" ? sentence(panel.savedAs, { name: target.name }) : sentence(panel.notKept);
      return { report, remarks: [remark] };
    };
    return this.#during(this.#completed(sources, undefined), fileName(address), task);
  }

  /** Shows a report that was made elsewhere, say by `verify` of `@countersign/verify`. */
  show(report: Report): void {
    this.cancel();
    this.#running = null;
    const file = { name: report.artifact.name ?? "FILE" };
    this.#show(
      this.#shown({ report, remarks: [] }, { sources: sourcesFromAttributes(this, file), own: {}, name: file.name }),
    );
    this.#told(report, file.name, {});
  }

  /** Ends the check that runs, if any. */
  cancel(): void {
    this.#running?.abort();
  }

  /** Shows the beginning again. */
  reset(): void {
    this.cancel();
    this.#running = null;
    this.#report = null;
    this.#bundle = null;
    this.#unmatched = null;
    this.#panel.showIdle();
  }

  async #chosen(files: readonly File[]): Promise<void> {
    const { downloads, waiting, unused } = sortChosen(files, this.#bundle ?? undefined);
    this.#bundle = null;
    const remarks = unused.map((each) => this.#notUsed(each));
    const [first, ...others] = downloads;
    if (first === undefined) {
      this.#bundle = waiting ?? null;
      const { panel } = this.#words();
      this.#panel.showIdle([
        ...(waiting === undefined ? [] : [sentence(panel.onlyBundle, { name: waiting.name })]),
        ...remarks,
      ]);
    } else if (others.length === 0) {
      await this.#checkOne(first, remarks);
    } else {
      await this.#checkEach(downloads, remarks);
    }
  }

  #notUsed({ name, kind }: Unused): DocumentFragment {
    const { panel, own } = this.#words();
    const remark = sentence(kind === "evidence" ? panel.evidenceNotUsed : panel.bundleNotUsed, { name });
    if (kind === "evidence" && this.hasAttribute("own-trust")) {
      remark.append(" ", sentence(panel.useForm, { form: own.summary }));
    }
    return remark;
  }

  async #checkOne(
    { file, bundle }: ChosenDownload,
    remarks: readonly Node[],
    sources?: Sources,
  ): Promise<Report | null> {
    let found: Found;
    try {
      found = sources === undefined ? await this.#find(file, bundle) : this.#completed(sources, bundle);
    } catch (error) {
      this.#misuse(error);
      return null;
    }
    const { panel, own } = this.#words();
    if (found === "own files missing") {
      this.#panel.showIdle([sentence(own.missing), ...remarks], own.noteOnly);
      return null;
    }
    if (found === "unmatched") {
      this.#unmatched = file;
      this.#panel.showIdle([sentence(panel.unmatched, { name: file.name }), ...remarks], panel.unmatchedNote);
      this.#emit("vd-unmatched", { file });
      return null;
    }
    return this.#during(found, file.name, async (run) => ({ report: await verify(file, this.#options(run)), remarks }));
  }

  /** Checks one after the other; each has a result of its own, whatever becomes of the others. */
  async #checkEach(downloads: readonly ChosenDownload[], remarks: readonly Node[]): Promise<void> {
    const controller = this.#begin();
    const results: Result[] = [];
    for (const [index, download] of downloads.entries()) {
      const facts = { number: String(index + 1), count: String(downloads.length), name: download.file.name };
      const view = this.#panel.showWorking(plain(this.#words().panel.fileOf, facts));
      const result = await this.#resultOf(download, controller, view);
      if (this.#running !== controller) return;
      if (result === null) {
        this.#running = null;
        this.#panel.showIdle([sentence(this.#words().panel.cancelledSeveral)]);
        this.#panel.focusInput();
        return;
      }
      results.push(result);
    }
    this.#running = null;
    this.#panel.showSeveral(results, remarks);
  }

  /** The result of one file among several; null if somebody gave up. */
  async #resultOf(
    { file, bundle }: ChosenDownload,
    controller: AbortController,
    view: WorkingView,
  ): Promise<Result | null> {
    const { name } = file;
    const { panel, own } = this.#words();
    try {
      const sources = await this.#find(file, bundle);
      if (sources === "unmatched") return uncheckedView(name, panel.unmatchedOfSeveral, this.#words());
      if (sources === "own files missing") return uncheckedView(name, own.missing, this.#words());
      const run: Run = { controller, view, sources, own: this.#own, name };
      const report = await verify(file, this.#options(run));
      if (this.#running === controller) this.#told(report, name, run.own);
      return this.#panel.resultOf(name, this.#shown({ report, remarks: [] }, run));
    } catch (error) {
      if (controller.signal.aborted) return null;
      const message = error instanceof Error ? error.message : String(error);
      this.#emit("vd-error", { message, error });
      return uncheckedView(name, plain(panel.misuse, { message }), this.#words());
    }
  }

  /** The sources for `file`; a bundle chosen with it counts before all others. */
  async #find(file: File, bundle: File | undefined): Promise<Found> {
    const { trust, policy } = this.#own;
    if (ownTrustOf(this.#ownTrust) === "only") {
      if (trust === undefined || policy === undefined) return "own files missing";
      return this.#completed(sourcesFromAttributes(this, file), bundle);
    }
    const given = this.sources.bundle ?? this.#own.bundle ?? bundle;
    const offered =
      this.resolver === null
        ? sourcesFromAttributes(this, file)
        : ((await this.resolver(file)) ?? (given ? sourcesFromAttributes(this, file) : null));
    return offered === null ? "unmatched" : this.#completed(offered, bundle);
  }

  /** What the site has, then what the reader chose in the form, then the bundle that came with the file. */
  #completed(offered: Sources, bundle: File | undefined): Sources {
    return { ...offered, ...this.sources, ...this.#own, ...(bundle && { bundle }) };
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

  /** Ends what runs and begins something else. */
  #begin(): AbortController {
    this.cancel();
    this.#report = null;
    this.#unmatched = null;
    this.#running = new AbortController();
    return this.#running;
  }

  /** Runs one check to its end and shows it; an older one is cancelled first. */
  async #during(sources: Sources, name: string, task: (run: Run) => Promise<Finished>): Promise<Report | null> {
    const controller = this.#begin();
    const run: Run = { controller, view: this.#panel.showWorking(), sources, own: this.#own, name };
    try {
      const finished = await task(run);
      if (this.#running === controller) {
        this.#show(this.#shown(finished, run));
        this.#told(finished.report, name, run.own);
      }
      return finished.report;
    } catch (error) {
      if (this.#running !== controller) return null;
      if (controller.signal.aborted) {
        this.#panel.showIdle([sentence(this.#words().panel.cancelled)]);
        this.#panel.focusInput();
      } else {
        this.#misuse(error);
      }
      return null;
    } finally {
      if (this.#running === controller) this.#running = null;
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
      name: run.name,
      // An old release under a new name must not be taken for the new one. If the page says under which name it offers
      // the file, that name must be the signed one, and a visitor may have renamed the file since.
      ...(sources.expected === undefined ? { names: "exact" } : { offeredAs: sources.expected }),
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

  #shown({ report, remarks }: Finished, { sources, own, name }: Pick<Run, "sources" | "own" | "name">): Shown {
    const resting = restingOn(own);
    const hasSite = ownTrustOf(this.#ownTrust) !== "only";
    return {
      report,
      telling: tell(report, { labels: sources.labels, own: resting, hasSite }, this.#words()),
      own: resting,
      remarks,
      command: {
        file: name,
        bundle: sourceName(sources.bundle, `${name}.sigstore.json`),
        trust: sourceName(sources.trust, TRUST_NAME),
        policy: sourceName(sources.policy, POLICY_NAME),
        key: sources.publicKey === undefined ? undefined : sourceName(sources.publicKey, "key.pem"),
      },
    };
  }

  #show(shown: Shown): void {
    this.#report = shown.report;
    this.#panel.showVerdict(shown);
  }

  #told(report: Report, name: string, own: OwnSources): void {
    const { verdict, code, checks } = report;
    const trust = restingOn(own).length === 0 ? "site" : "visitor";
    this.#emit("vd-verdict", { verdict, code, checks, report, name, trust } satisfies VerdictDetail);
  }

  /** Not a verdict: the check was set up wrongly, or there is no download to check. */
  #misuse(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const { panel } = this.#words();
    const remark =
      error instanceof DownloadError
        ? sentence(panel.notDownloaded, { host: error.host })
        : sentence(panel.misuse, { message });
    this.#panel.showIdle([remark]);
    this.#emit("vd-error", { message, error });
  }

  #describe(): void {
    this.#panel.setWords(this.#words());
    this.#describeOwn();
    const address = linkable(this.getAttribute("src"), this.baseURI);
    this.#panel.setOffer(address === null ? null : this.#offer(address));
  }

  /** The form comes and goes with its attribute; so does what was chosen in it. */
  #describeOwn(): void {
    const attribute = this.getAttribute("own-trust");
    if (attribute === this.#ownTrust) return;
    this.#ownTrust = attribute;
    this.#own = {};
    const allowed = ownTrustOf(attribute);
    const changed = (own: OwnSources): void => {
      this.#own = own;
    };
    this.#panel.setOwn(allowed === "none" ? null : ownView(this.#words(), allowed, changed));
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
