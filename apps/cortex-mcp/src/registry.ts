import { GatewayError, type Logger, type ServerInfo } from "@cortex-os/mcp-core";
import { FsStore } from "@cortex-os/mcp-registry";
import { z } from "zod";
import type { Io } from "./io.js";
import { oneLine } from "./user-error.js";

/** The list of servers as the commands use it. Every method throws GatewayError REGISTRY_IO when the file cannot be used. */
export interface Registry {
  /** Every entry that can be served, in the file's order. */
  all(): Promise<readonly ServerInfo[]>;
  /** Adds or replaces; resolves when that is durable. */
  put(entry: ServerInfo): Promise<void>;
  /** Removes; resolves when that is durable. */
  drop(name: string): Promise<void>;
}

const ReasonLine = z.looseObject({ reason: z.string() });
const SetAsideLine = z.looseObject({ index: z.number(), name: z.string().optional(), reason: z.string() });

/**
 * The registry of this home. An entry that cannot be served stays in the file and is told on standard error. While the file
 * cannot be read at all, nothing is changed: what it lists must not seem to be gone.
 */
export function openRegistry(io: Pick<Io, "env" | "err">): Registry {
  let corrupt: string | undefined;
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (fields) => {
      const line = SetAsideLine.safeParse(fields);
      const whole = ReasonLine.safeParse(fields);
      if (line.success) io.err(setAsideText(line.data));
      else if (whole.success) io.err(`cortex-mcp: warning: servers.json: ${oneLine(whole.data.reason)}`);
    },
    error: (fields) => {
      const line = ReasonLine.safeParse(fields);
      // The first one also names the copy that was kept.
      if (line.success) corrupt ??= line.data.reason;
    },
  };
  const store = new FsStore({ env: io.env, logger });
  const all = async (): Promise<readonly ServerInfo[]> => {
    const entries = await store.readAll();
    if (corrupt !== undefined) throw new GatewayError("REGISTRY_IO", oneLine(corrupt));
    return entries;
  };
  return {
    all,
    put: async (entry) => {
      await all();
      await store.upsert(entry);
    },
    drop: async (name) => {
      await all();
      await store.remove(name);
    },
  };
}

function setAsideText({ index, name, reason }: z.infer<typeof SetAsideLine>): string {
  const which = name === undefined ? `entry ${index + 1}` : JSON.stringify(name);
  return `cortex-mcp: warning: ${which} in servers.json is not served: ${oneLine(reason)}`;
}
