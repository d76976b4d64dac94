import type { ServerResponse } from "node:http";
import { GatewayError, type ConnectorOrigin, type Roster } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import { objectIn, onlyPost, run, type ControlDeps } from "./control-answers.js";
import { mapApi } from "./map-api.js";
import type { Unanswered } from "./open-answers.js";
import { registryApi, type OwnedRegistry } from "./registry-api.js";
import { sendJson } from "./respond.js";
import { onlyGet, type Handler } from "./routes.js";
import type { ServeHttpOptions } from "./serve-http.js";

/** What the control API works through. */
export interface ControlApiDeps extends ControlDeps {
  readonly gateway: Gateway;
  /** Every call is in it until it is answered. */
  readonly unanswered: Roster<Unanswered>;
  /** Makes room for another gateway; absent for one that does not. */
  readonly onYield: ServeHttpOptions["onYield"] | undefined;
  /** Absent where the gateway owns no registry: its routes are then not there. */
  readonly registry: OwnedRegistry | undefined;
}

const KEEPS_HOME = "this gateway has a URL and makes no room for another one; stop it instead";

/** `/api/v1`, for the command line. It is served on the control socket only, which the file system guards (0600). */
export function controlApi(deps: ControlApiDeps): Readonly<Record<string, Handler>> {
  const { gateway, onYield, registry } = deps;
  return {
    "/api/v1/status": onlyGet((_request, response) => {
      sendJson(response, 200, gateway.status());
    }),
    "/api/v1/tools": onlyGet((_request, response) => {
      const answer = async (): Promise<void> => {
        await gateway.freshened();
        const tools = gateway
          .tools()
          .map(({ name, connector, tool, definition }) => ({ name, connector, tool, definition }));
        sendJson(response, 200, { tools });
      };
      run(deps, response, answer);
    }),
    "/api/v1/reload": onlyPost(deps, async (body, response) => {
      const source = originIn(objectIn(body));
      if (source !== undefined) await gateway.reload(source);
      sendJson(response, 200, source === undefined ? await gateway.reloadAll() : gateway.status());
    }),
    "/api/v1/call": onlyPost(deps, async (body, response) => call(deps, body, response)),
    "/api/v1/yield": onlyPost(deps, async (body, response) => {
      if (onYield === undefined) throw new GatewayError("USER_INPUT", KEEPS_HOME);
      const { untilMs } = objectIn(body);
      if (typeof untilMs !== "number") throw new GatewayError("INVALID_PARAMS", "untilMs must be a time");
      sendJson(response, 202, { yielding: true });
      onYield(untilMs);
    }),
    ...mapApi(deps),
    ...(registry === undefined ? {} : registryApi(deps, registry)),
  };
}

/** Which source is to be read again: both, and the configuration, when it does not say. */
function originIn({ source }: JsonObject): ConnectorOrigin | undefined {
  if (source === undefined || source === "registry" || source === "map") return source;
  throw new GatewayError("INVALID_PARAMS", "source must be registry or map");
}

async function call({ gateway, unanswered }: ControlApiDeps, body: Buffer, response: ServerResponse): Promise<void> {
  const { name, args } = readCall(body);
  const abort = new AbortController();
  const { signal } = abort;
  const waiting: Unanswered = {
    shutDown: (error) => {
      abort.abort(error);
    },
  };
  unanswered.add(waiting);
  // The command line was interrupted: so is its call.
  response.once("close", () => {
    abort.abort();
  });
  try {
    sendJson(response, 200, await gateway.callTool(name, args, { signal }));
  } catch (error) {
    // Who ended it knows why; who was called only knows that it was given up.
    throw GatewayError.is(signal.reason) ? signal.reason : error;
  } finally {
    unanswered.delete(waiting);
  }
}

function readCall(body: Buffer): { name: string; args: JsonObject } {
  const { name, arguments: args } = objectIn(body);
  if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", "name must be the name of a tool");
  if (args !== undefined && !isJsonObject(args))
    throw new GatewayError("INVALID_PARAMS", "arguments must be an object");
  return { name, args: args ?? {} };
}
