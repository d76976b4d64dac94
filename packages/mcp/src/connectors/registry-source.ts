import { connectorSpecOf, type ConnectorSpec, type Logger, type Timers } from "@cortex-os/mcp-core";
import {
  entriesOf,
  readRegistry,
  setAsideOf,
  watchRegistry,
  type RegistryDocument,
  type RegistryWatch,
} from "@cortex-os/mcp-registry";
import type { ConnectorSource, SpecsListener } from "./connector-source.js";

/** Where the registry is. */
export interface RegistrySourceOptions {
  /** The path of `servers.json`; it need not exist yet. */
  readonly path: string;
  readonly logger: Logger;
  readonly timers: Timers;
}

/**
 * The local registry as a source of connectors. It only reads: the command line writes. While the file cannot be read or is not a registry, the connectors it named
 * last stay, and the file stays as it is (R11, R12).
 */
export function registrySource(options: RegistrySourceOptions): ConnectorSource {
  return new RegistrySource(options);
}

class RegistrySource implements ConnectorSource {
  readonly origin = "registry";
  readonly #options: RegistrySourceOptions;
  #listener: SpecsListener = () => {};
  #watch: RegistryWatch | undefined;
  #specs: readonly ConnectorSpec[] = [];
  #reading: Promise<void> = Promise.resolve();
  #warnedOf = "";
  #closed = false;

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#listener = listener;
    const { path, logger, timers } = this.#options;
    // Watch first, then read: a change between the two is seen.
    this.#watch = await watchRegistry({ path, logger, timers, onChange: () => void this.reload() });
    await this.reload();
  }

  async reload(): Promise<void> {
    // One after the other: an older read must not win over a newer one.
    this.#reading = this.#reading.then(async () => this.#read());
    await this.#reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watch?.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    const { path, logger } = this.#options;
    try {
      const read = await readRegistry(path);
      if (read.kind === "corrupt") {
        const consequence = "the servers it named last stay; mend the file or restore it from a backup";
        logger.error({ registryPath: path, reason: read.reason, consequence }, "Failed to load registry");
      } else {
        this.#specs = read.kind === "absent" ? [] : this.#specsOf(read.document);
      }
    } catch (error) {
      logger.error({ registryPath: path, err: error }, "Failed to load registry");
    }
    if (!this.#closed) this.#listener(this.#specs);
  }

  #specsOf(document: RegistryDocument): readonly ConnectorSpec[] {
    const setAside = setAsideOf(document);
    const summary = JSON.stringify(setAside);
    if (summary !== this.#warnedOf) {
      this.#warnedOf = summary;
      for (const entry of setAside) this.#options.logger.warn({ ...entry }, "Registry entry set aside");
    }
    return entriesOf(document).map(connectorSpecOf);
  }
}
