import { isDeepStrictEqual } from "node:util";
import { RegistryOperations, type PutOptions, type PutResult } from "@cortex-os/mcp";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { RegistryMemoryCache, type RegistryChange } from "@cortex-os/mcp-registry";
import { CallError, SilentGatewayError } from "./control/call-error.js";
import { RegistryClient } from "./control/registry-client.js";
import type { Io } from "./io.js";
import { findRunningGateway } from "./state/running-gateway.js";
import { statePaths } from "./state/state-paths.js";
import { oneLine } from "./user-error.js";

/**
 * The registry of this home as the commands use it. Every method throws GatewayError or CallError with the code REGISTRY_IO when its files cannot be used. A change
 * resolves when it survives a power cut and other programs find it in `servers.json`.
 */
export interface Registry {
  /** Every entry that can be served, in the file's order. */
  all(): Promise<readonly ServerInfo[]>;
  /** Adds or replaces. */
  put(entry: ServerInfo, options?: PutOptions): Promise<PutResult["outcome"]>;
  /** Removes, if there is one. */
  drop(name: string): Promise<void>;
  /** Every change that is still known, oldest first. */
  history(): Promise<readonly RegistryChange[]>;
  /** Takes changes back that were made together and are the latest; gives what it took back. Refuses when others were made since. */
  undo(group: number): Promise<readonly RegistryChange[]>;
  /** Makes the registry what it was at that time, in milliseconds since the epoch; gives what that changed. */
  restore(atMs: number): Promise<readonly RegistryChange[]>;
}

/** The registry, reached in one way or the other. */
type Access = Pick<RegistryClient, "content" | "put" | "remove" | "history" | "undo" | "restore">;

/**
 * The registry of this home: through the running gateway, which owns it; with none running, or none that answers, directly, which loses nothing either. What is wrong
 * in it is told on standard error.
 */
export function openRegistry(io: Pick<Io, "env" | "err" | "system">): Registry {
  const paths = statePaths(io.env);
  const told = new Set<string>();
  const warn = (text: string): void => {
    if (told.has(text)) return;
    told.add(text);
    io.err(`cortex-mcp: warning: ${oneLine(text)}`);
  };
  /** A gateway that could not be used once is not asked again. */
  let isOwnerUsable = true;
  let silence: string | undefined;
  const use = async <T>(task: (access: Access) => Promise<T>): Promise<T> => {
    const running = isOwnerUsable ? await findRunningGateway(paths) : undefined;
    if (running === undefined) return directly(io, paths.registry, task);
    try {
      return await task(new RegistryClient(running, io.system));
    } catch (error) {
      if (!isUnusable(error)) throw error;
      isOwnerUsable = false;
      if (error instanceof SilentGatewayError) silence = error.message;
      return directly(io, paths.registry, task);
    }
  };
  const contentOf = async (access: Access): Promise<readonly ServerInfo[]> => {
    const { servers, problems } = await access.content();
    for (const problem of problems) warn(problem.startsWith("servers.json") ? problem : `servers.json: ${problem}`);
    return servers;
  };
  const change = async <T extends { readonly unwritten?: string }>(
    task: (access: Access) => Promise<T>,
  ): Promise<T> => {
    const result = await use(async (access) => {
      await contentOf(access);
      return task(access);
    });
    // Reading needs no gateway, and whoever wants to know how it is asks it.
    if (silence !== undefined) warn(`${silence}; the registry was changed without it`);
    const { unwritten } = result;
    if (unwritten !== undefined) warn(`what was changed is kept, and not in servers.json yet: ${unwritten}`);
    return result;
  };
  return {
    all: async () => use(contentOf),
    put: async (entry, options) => {
      let times = 0;
      const { outcome } = await change(async (access): Promise<PutResult> => {
        times += 1;
        const result = await access.put(entry, options);
        if (result.outcome !== "taken" || times === 1) return result;
        // A gateway that went away before it answered may have made the change: then the name is taken by what was asked for.
        const { servers } = await access.content();
        return servers.some((there) => isSame(there, entry)) ? { ...result, outcome: "added" } : result;
      });
      return outcome;
    },
    drop: async (name) => {
      await change((access) => access.remove(name));
    },
    history: async () => use((access) => access.history()),
    undo: async (group) => (await change((access) => access.undo(group))).changes,
    restore: async (atMs) => (await change((access) => access.restore(atMs))).changes,
  };
}

const isSame = (one: ServerInfo, other: ServerInfo): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));

/** Whether the gateway cannot do it: it is silent, went away, or is of a version that does not own its registry. */
const isUnusable = (error: unknown): boolean =>
  error instanceof CallError && (error.code === "NOT_READY" || error.code === "UPSTREAM_PROTOCOL");

async function directly<T>(
  { system }: Pick<Io, "system">,
  registryPath: string,
  task: (access: Access) => Promise<T>,
): Promise<T> {
  const { timers, clock } = system;
  const cache = new RegistryMemoryCache({ registryPath, flushIntervalMs: Infinity, timers, clock });
  try {
    return await task(new RegistryOperations(cache, registryPath));
  } finally {
    // Whoever made a change has waited for it to be written, and knows if it could not be.
    await cache.close().catch(() => {});
  }
}
