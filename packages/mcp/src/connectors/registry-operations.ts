import path from "node:path";
import { GatewayError, messageOf, type ServerInfo } from "@cortex-os/mcp-core";
import type { RegistryChange, RegistryMemoryCache } from "@cortex-os/mcp-registry";

/** As much of a {@link RegistryMemoryCache} as its operations need. */
export type OperatedCache = Pick<
  RegistryMemoryCache,
  | "init"
  | "refresh"
  | "entries"
  | "problems"
  | "isUnreadable"
  | "upsert"
  | "remove"
  | "durable"
  | "flush"
  | "history"
  | "undo"
  | "restore"
>;

/** What is in the registry. */
export interface RegistryContent {
  /** Every entry that can be served, in the file's order, with its secrets. */
  readonly servers: readonly ServerInfo[];
  /** What is wrong with it, for people to read. */
  readonly problems: readonly string[];
}

/** A change that survives a power cut. */
interface Kept {
  /** Why it is not in `servers.json` yet, though it is in the journal. */
  readonly unwritten?: string;
}

/** What came of putting a server into the registry; `taken`: there is one of that name, and nothing was changed. */
export interface PutResult extends Kept {
  readonly outcome: "added" | "replaced" | "taken";
}

/** What came of removing a server. */
export interface RemoveResult extends Kept {
  /** Whether there was one. */
  readonly removed: boolean;
}

/** What came of taking changes back. */
export interface ChangesResult extends Kept {
  /** What was taken back, or what was done to go back; empty when there was nothing to do. */
  readonly changes: readonly RegistryChange[];
}

/** How a server is put into the registry. */
export interface PutOptions {
  /** Whether one of that name gives way. @default true */
  readonly replace?: boolean;
}

const CHANGED_MEANWHILE =
  "the registry was changed meanwhile, so nothing was undone; cortex-mcp registry history shows what is the last change now";

/** The changes that an undo takes back: the latest that is not undone and no undo itself, with those that were made together with it. None when there is none. */
export function nextToUndo(history: readonly RegistryChange[]): readonly RegistryChange[] {
  const last = history.findLast(({ undone, by }) => !undone && by !== "undo");
  return last === undefined ? [] : history.filter(({ group, undone }) => group === last.group && !undone);
}

/**
 * What a person does to the registry, for whoever has it in memory: a running gateway, asked over its control socket, or with none running the command itself. A change
 * resolves when it survives a power cut and other programs find it in `servers.json`.
 */
export class RegistryOperations {
  readonly #cache: OperatedCache;
  readonly #folder: string;

  /** @param registryPath the path of `servers.json`, for messages */
  constructor(cache: OperatedCache, registryPath: string) {
    this.#cache = cache;
    this.#folder = path.dirname(registryPath);
  }

  /** @throws GatewayError REGISTRY_IO when it cannot be read, and nothing of it is left */
  async content(): Promise<RegistryContent> {
    await this.#catchUp();
    this.#assertUsable();
    const { entries: servers, problems } = this.#cache;
    return { servers, problems };
  }

  /** @throws GatewayError USER_INPUT for an entry that is refused, REGISTRY_IO when it cannot be kept */
  async put(server: ServerInfo, { replace = true }: PutOptions = {}): Promise<PutResult> {
    await this.#catchUp();
    this.#assertUsable();
    const taken = this.#cache.entries.some(({ name }) => name === server.name);
    if (taken && !replace) return { outcome: "taken" };
    this.#cache.upsert(server);
    return { outcome: taken ? "replaced" : "added", ...(await this.#kept()) };
  }

  /** @throws GatewayError REGISTRY_IO when that cannot be kept */
  async remove(name: string): Promise<RemoveResult> {
    await this.#catchUp();
    this.#assertUsable();
    const removed = this.#cache.remove(name);
    return { removed, ...(await this.#kept()) };
  }

  /** Every change that is still known, oldest first. */
  async history(): Promise<readonly RegistryChange[]> {
    await this.#catchUp();
    return this.#cache.history();
  }

  /**
   * Takes {@link nextToUndo} back.
   *
   * @param group the one that is meant: another one, made meanwhile, is not taken back in its place
   * @throws GatewayError USER_INPUT when it is another one, REGISTRY_IO when that cannot be kept
   */
  async undo(group?: number): Promise<ChangesResult> {
    await this.#catchUp();
    const [next] = nextToUndo(this.#cache.history());
    if (group !== undefined && next?.group !== group) throw new GatewayError("USER_INPUT", CHANGED_MEANWHILE);
    const changes = this.#cache.undo();
    return { changes, ...(await this.#kept()) };
  }

  /**
   * Makes the registry what it was at that time, in milliseconds since the epoch.
   *
   * @throws GatewayError USER_INPUT when the history does not reach so far, REGISTRY_IO when it cannot be kept
   */
  async restore(atMs: number): Promise<ChangesResult> {
    await this.#catchUp();
    const before = this.#cache.history().at(-1)?.seq ?? 0;
    this.#cache.restore(atMs);
    const changes = this.#cache.history().filter(({ seq, by }) => seq > before && by === "restore");
    return { changes, ...(await this.#kept()) };
  }

  /** Takes in what others did: the next step is about what there is now. */
  async #catchUp(): Promise<void> {
    await this.#cache.init();
    await this.#cache.refresh();
  }

  /** What cannot be read must not seem to be gone, and nothing is put in its place. */
  #assertUsable(): void {
    const { isUnreadable, problems } = this.#cache;
    if (!isUnreadable) return;
    throw new GatewayError("REGISTRY_IO", `in ${this.#folder}: ${problems.join("; ")}`);
  }

  async #kept(): Promise<Kept> {
    await this.#cache.durable();
    try {
      await this.#cache.flush();
      return {};
    } catch (error) {
      // The change is safe: who is told that it failed would make it again.
      return { unwritten: messageOf(error) };
    }
  }
}
