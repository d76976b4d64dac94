import type { Gateway } from "@cortex-os/mcp";
import { toJsonRpcError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Io } from "../io.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { CallError } from "./call-error.js";
import { ControlClient } from "./control-client.js";
import { gatewayForOneCommand } from "./one-command-gateway.js";
import type { GatewayView, ToolView } from "./views.js";

/** A gateway as the commands use one, wherever it runs. */
export interface GatewayAccess {
  status(): Promise<GatewayView>;
  /** Sorted by public name. */
  tools(): Promise<readonly ToolView[]>;
  /** The `CallToolResult`. */
  call(name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

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
  const gateway = await gatewayForOneCommand(io, paths, tool);
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
