import path from "node:path";
import { connectorSpecOf, messageOf, type ConnectorSpec, type Logger, type Timers } from "@cortex-os/mcp-core";
import { watchFile, type FileWatch, type RegistryMemoryCache } from "@cortex-os/mcp-registry";
import type { ConnectorSource, SpecsListener } from "./connector-source.js";

/** As much of a {@link RegistryMemoryCache} as a source of connectors needs. */
export type SourceCache = Pick<
  RegistryMemoryCache,
  "init" | "refresh" | "entries" | "problems" | "health" | "onChange"
>;

/** Where the registry is. */
export interface RegistrySourceOptions {
  /** The path of `servers.json`; it need not exist yet. */
  readonly path: string;
  /** The registry at that path. It is initialised here if it was not; whoever made it closes it, after the source. */
  readonly cache: SourceCache;
  readonly logger: Logger;
  readonly timers: Timers;
  /** Hears of every reading, and whether the files were as they should be. */
  readonly onRead?: (ok: boolean) => void;
}

/**
 * The local registry as a source of connectors. What this process changes in it is told at once, what others change when the files of the registry do. While they
 * cannot be used, the connectors they named last stay (R11, R12).
 */
export function registrySource(options: RegistrySourceOptions): ConnectorSource {
  return new RegistrySource(options);
}

class RegistrySource implements ConnectorSource {
  readonly origin = "registry";
  readonly #options: RegistrySourceOptions;
  #listener: SpecsListener = () => {};
  #watches: readonly FileWatch[] = [];
  /** Set once the registry has been read: before that there is nothing in it to ask for. */
  #unsubscribe: (() => void) | undefined;
  #reading: Promise<void> = Promise.resolve();
  /** Why it could not be read. */
  #failure: string | undefined;
  /** What was told last. */
  #told: { readonly entries: SourceCache["entries"] | undefined; readonly problem: string | undefined } | undefined;
  #closed = false;

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#listener = listener;
    const { path: file, logger, timers } = this.#options;
    const onChange = (): void => void this.#refreshNext().then(() => this.#tellNews());
    // Watch first, then read: a change between the two is seen. What others change is in the journal first, and in the file only later.
    this.#watches = await Promise.all(
      [file, `${file}.log`].map((watched) => watchFile({ path: watched, logger, timers, onChange })),
    );
    // It may have been closed meanwhile: a start that was called off must leave no watch.
    if (this.#closed) await this.#unwatch();
    await this.reload();
  }

  async reload(): Promise<void> {
    await this.#refreshNext();
    this.#tell();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    await this.#unwatch();
    await this.#reading;
  }

  async #unwatch(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  /** One after the other, so that each is as new as its call. */
  async #refreshNext(): Promise<void> {
    this.#reading = this.#reading.then(async () => this.#refresh());
    await this.#reading;
  }

  async #refresh(): Promise<void> {
    const { cache, logger, path: registryPath, onRead } = this.#options;
    if (this.#closed) return;
    try {
      await cache.init();
      if (this.#closed) return;
      this.#unsubscribe ??= cache.onChange(() => this.#tellNews());
      await cache.refresh();
      this.#failure = undefined;
    } catch (error) {
      const failure = messageOf(error);
      // A cache that cannot be initialised logs that itself.
      const isLogged = failure === this.#failure || this.#unsubscribe === undefined;
      if (!isLogged) logger.error({ err: error, registryPath }, "Failed to load registry");
      this.#failure = failure;
    }
    if (!this.#closed) onRead?.(this.#problem() === undefined);
  }

  #tellNews(): void {
    const isOld = this.#told?.entries === this.#entries() && this.#told?.problem === this.#problem();
    if (!isOld) this.#tell();
  }

  #tell(): void {
    if (this.#closed) return;
    const told = { entries: this.#entries(), problem: this.#problem() };
    this.#told = told;
    const specs: readonly ConnectorSpec[] = (told.entries ?? []).map(connectorSpecOf);
    this.#listener(specs, told.problem === undefined ? {} : { problem: told.problem });
  }

  #entries(): SourceCache["entries"] | undefined {
    return this.#unsubscribe === undefined ? undefined : this.#options.cache.entries;
  }

  /** What is wrong, in words that a client may see: files are named without their folder. */
  #problem(): string | undefined {
    const { cache, path: file } = this.#options;
    const [problem] = cache.health === "ok" ? [] : cache.problems;
    return (this.#failure ?? problem)?.replaceAll(`${path.dirname(path.resolve(file))}${path.sep}`, "");
  }
}
