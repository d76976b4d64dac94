import { Gateway, createMetrics, registrySource } from "@cortex-os/mcp";
import { silentLogger, toJsonRpcError, type ConnectorSpec } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { filteredSource } from "../serve/filtered-source.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths, type StatePaths } from "../state/state-paths.js";
import { programVersion } from "../version.js";
import { CallError } from "./call-error.js";
import { ControlClient } from "./control-client.js";
import type { GatewayView, ToolView } from "./views.js";

/** A gateway as the commands use one, wherever it runs. */
export interface GatewayAccess {
  status(): Promise<GatewayView>;
  /** Sorted by public name. */
  tools(): Promise<readonly ToolView[]>;
  /** The `CallToolResult`. */
  call(name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** How long a gateway for one command waits for its connectors, in milliseconds: as long as a slow one may take to start. */
const SETTLE_MS = 60_000;

/**
 * Runs `task` with the gateway of this home; with none running, with one that lives for this task only and has
 * closed all it held when this resolves.
 *
 * @param tool the only tool that `task` needs: a gateway for one command then starts no other connectors than the one it names
 */
export async function withGateway<T>(io: Io, task: (gateway: GatewayAccess) => Promise<T>, tool?: string): Promise<T> {
  const paths = statePaths(io.env);
  const running = await findRunningGateway(paths);
  if (running !== undefined) return task(new ControlClient(running.socket, io.system.timers));
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, flags: {} });
  const gateway = gatewayForOneCommand(io, paths, config, tool);
  try {
    await gateway.start();
    await gateway.settled();
    return await task({
      status: async () => gateway.status(),
      tools: async () =>
        gateway
          .tools()
          .map(({ name, connector, tool: own, definition }) => ({ name, connector, tool: own, definition })),
      call: (name, args, signal) => callTool(gateway, name, args, signal),
    });
  } finally {
    await gateway.close();
  }
}

/** Fails as the control socket would: with the code that goes over the wire. */
async function callTool(gateway: Gateway, name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  try {
    return await gateway.callTool(name, args, { signal });
  } catch (error) {
    const { code, message } = toJsonRpcError(error);
    throw new CallError(code, message, { cause: error });
  }
}

function gatewayForOneCommand(io: Io, paths: StatePaths, config: Config, tool: string | undefined): Gateway {
  const { names } = config;
  const logger = silentLogger;
  const all = registrySource({ path: paths.registry, logger, timers: io.system.timers });
  const needed = (specs: readonly ConnectorSpec[]): readonly ConnectorSpec[] => {
    const named = specs.filter(({ key }) => tool?.startsWith(key + names.separator));
    return named.length > 0 ? named : specs;
  };
  return new Gateway({
    ...io.system,
    version: programVersion(),
    sources: [names.prefix === "always" ? filteredSource(all, needed) : all],
    names,
    startup: { graceMs: SETTLE_MS, maxMs: SETTLE_MS },
    logger,
    metrics: createMetrics(),
  });
}
