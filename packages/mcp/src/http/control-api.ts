import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError, toJsonRpcError, type Logger } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import type { Unanswered } from "./open-answers.js";
import { readBody } from "./read-body.js";
import { sendEmpty, sendJson } from "./respond.js";
import { onlyGet, type Handler } from "./routes.js";

/** What the control API works through. */
export interface ControlApiDeps {
  readonly gateway: Gateway;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** Every call is in it until it is answered. */
  readonly unanswered: Set<Unanswered>;
}

/** `/api/v1`, for the command line. It is served on the control socket only, which the file system guards (0600). */
export function controlApi(deps: ControlApiDeps): Readonly<Record<string, Handler>> {
  const { gateway } = deps;
  return {
    "/api/v1/status": onlyGet((_request, response) => {
      sendJson(response, 200, gateway.status());
    }),
    "/api/v1/tools": onlyGet((_request, response) => {
      const answer = async (): Promise<void> => {
        await gateway.settled();
        const tools = gateway
          .tools()
          .map(({ name, connector, tool, definition }) => ({ name, connector, tool, definition }));
        sendJson(response, 200, { tools });
      };
      run(deps, response, answer);
    }),
    "/api/v1/reload": onlyPost((_request, response) => {
      run(deps, response, async () => {
        await gateway.reload();
        sendJson(response, 200, gateway.status());
      });
    }),
    "/api/v1/call": onlyPost((request, response) => {
      readBody(request, deps.maxBodyBytes, (failure, body) => {
        if (failure === undefined) run(deps, response, async () => call(deps, body, response));
        else sendError(response, 413, new GatewayError("INVALID_PARAMS", `The body is ${failure}`));
      });
    }),
  };
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
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new GatewayError("PARSE_ERROR", "The body is not JSON", { cause: error });
  }
  const { name, arguments: args } = isJsonObject(value) ? value : {};
  if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", "name must be the name of a tool");
  if (args !== undefined && !isJsonObject(args))
    throw new GatewayError("INVALID_PARAMS", "arguments must be an object");
  return { name, args: args ?? {} };
}

function run({ logger }: ControlApiDeps, response: ServerResponse, task: () => Promise<void>): void {
  task().catch((error: unknown) => {
    logger.debug({ err: error }, "A control request failed");
    if (!response.headersSent) sendError(response, 400, error);
  });
}

function sendError(response: ServerResponse, status: number, error: unknown): void {
  sendJson(response, status, { error: toJsonRpcError(error) });
}

function onlyPost(handler: Handler): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "POST") handler(request, response);
    else sendEmpty(response, 405, { allow: "POST" });
  };
}
