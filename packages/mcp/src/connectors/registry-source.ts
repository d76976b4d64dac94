import { connectorSpecOf, type ConnectorSpec, type Logger, type Timers } from "@cortex-os/mcp-core";
import {
  entriesOf,
  problemsOf,
  readRegistry,
  watchFile,
  type RegistryDocument,
  type RegistryRead,
  type FileWatch,
} from "@cortex-os/mcp-registry";
import type { ConnectorSource, SpecsListener } from "./connector-source.js";

/** Where the registry is. */
export interface RegistrySourceOptions {
  /** The path of `servers.json`; it need not exist yet. */
  readonly path: string;
  readonly logger: Logger;
  readonly timers: Timers;
  /** Hears of every reading that was believed, and whether the file could be read and was a registry. */
  readonly onRead?: (ok: boolean) => void;
}

/** A file that was there and is gone is believed to be gone after so many milliseconds: some editors move it away to save it. */
const ABSENT_MS = 1_500;

/**
 * The local registry as a source of connectors. It only reads: the command line writes. While the file cannot be read or is not a registry, the
 * connectors it named last stay, and the file stays as it is (R11, R12).
 */
export function registrySource(options: RegistrySourceOptions): ConnectorSource {
  return new RegistrySource(options);
}

class RegistrySource implements ConnectorSource {
  readonly origin = "registry";
  readonly #options: RegistrySourceOptions;
  #listener: SpecsListener = () => {};
  #watch: FileWatch | undefined;
  #specs: readonly ConnectorSpec[] = [];
  #reading: Promise<void> = Promise.resolve();
  #cancelAbsent: (() => void) | undefined;
  #warnedOf = "";
  #closed = false;

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#listener = listener;
    const { path, logger, timers } = this.#options;
    // Watch first, then read: a change between the two is seen.
    this.#watch = await watchFile({ path, logger, timers, onChange: () => void this.reload() });
    // It may have been closed meanwhile: a start that was called off must leave no watch.
    if (this.#closed) await this.#watch.close();
    await this.reload();
  }

  async reload(): Promise<void> {
    await this.#readNext(false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelAbsent?.();
    await this.#watch?.close();
    await this.#reading;
  }

  async #readNext(believeAbsent: boolean): Promise<void> {
    // One after the other: an older read must not win over a newer one.
    this.#reading = this.#reading.then(async () => this.#read(believeAbsent));
    await this.#reading;
  }

  async #read(believeAbsent: boolean): Promise<void> {
    if (this.#closed) return;
    this.#cancelAbsent?.();
    this.#cancelAbsent = undefined;
    let read: RegistryRead;
    try {
      read = await readRegistry(this.#options.path);
    } catch (error) {
      this.#failed({ err: error }, "the file cannot be opened");
      return;
    }
    if (read.kind === "corrupt") this.#failed({ reason: read.reason }, read.reason);
    else if (read.kind === "document") this.#tell(this.#specsOf(read.document));
    else if (believeAbsent || this.#specs.length === 0) this.#tell([]);
    else this.#suspectAbsence();
  }

  #tell(specs: readonly ConnectorSpec[]): void {
    if (this.#closed) return;
    this.#specs = specs;
    this.#options.onRead?.(true);
    this.#listener(specs);
  }

  #failed(fields: Readonly<Record<string, unknown>>, reason: string): void {
    if (this.#closed) return;
    const kept = this.#specs.length;
    const consequence =
      kept === 0 ? "no server of it is served" : `the ${kept} servers it named last stay; the file is left as it is`;
    const { path, logger, onRead } = this.#options;
    onRead?.(false);
    logger.error({ ...fields, registryPath: path, consequence }, "Failed to load registry");
    const problem = `the registry servers.json cannot be read: ${reason}; mend it or restore it from a copy`;
    this.#listener(this.#specs, { problem });
  }

  #suspectAbsence(): void {
    if (this.#closed) return;
    const { path, logger, timers } = this.#options;
    logger.warn({ registryPath: path }, "The registry file is gone; its servers stay until it stays away");
    this.#cancelAbsent = timers.after(ABSENT_MS, () => void this.#readNext(true));
  }

  #specsOf(document: RegistryDocument): readonly ConnectorSpec[] {
    const problems = problemsOf(document);
    const summary = JSON.stringify(problems);
    if (summary !== this.#warnedOf) {
      this.#warnedOf = summary;
      const { logger, path: registryPath } = this.#options;
      for (const problem of problems) logger.warn({ registryPath, problem }, "Part of the registry is set aside");
    }
    return entriesOf(document).map(connectorSpecOf);
  }
}
