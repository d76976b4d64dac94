import { Gateway, createMetrics, registrySource } from "@cortex-os/mcp";
import { silentLogger, toJsonRpcError, type ConnectorSpec } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { openRegistry } from "../registry.js";
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

/**
 * How long a gateway for one command waits for its connectors while none is up, in milliseconds: as long as a slow one may take to start. Once
 * one is up, the others get `startup.maxMs`.
 */
const SETTLE_MS = 60_000;
/** How long a command waits without a word, in milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * Runs `task` with the gateway of this home; with none running, with one that lives for this task only and has
 * closed all it held when this resolves.
 *
 * @param tool the only tool that `task` needs: a gateway for one command then starts no other connectors than the one it names
 */
export async function withGateway<T>(io: Io, task: (gateway: GatewayAccess) => Promise<T>, tool?: string): Promise<T> {
  const paths = statePaths(io.env);
  const running = await findRunningGateway(paths);
  if (running !== undefined) return task(new ControlClient(running, io.system.timers));
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
  // What is wrong with the registry is told as by every other command; the gateway would only serve nothing.
  await openRegistry(io).all();
  const gateway = gatewayForOneCommand(io, paths, config, tool);
  try {
    await gateway.start();
    await settled(gateway, io);
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

/** Waits until every connector was up or down once; a person who waits with us is told for whom. */
async function settled(gateway: Gateway, { terminal, err, system }: Io): Promise<void> {
  const cancel = system.timers.after(PATIENCE_MS, () => {
    const awaited = gateway.status().connectors.filter(({ state }) => state === "connecting");
    if (terminal.err && awaited.length > 0) err(`Waiting for ${awaited.map(({ key }) => key).join(", ")} …`);
  });
  await gateway.settled();
  cancel();
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
  const { names, startup } = config;
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
    startup: { graceMs: startup.maxMs, maxMs: SETTLE_MS },
    logger,
    metrics: createMetrics(),
  });
}
