import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError, toJsonRpcError, WIRE_CODE, type GatewayErrorCode, type Logger } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { readBody } from "./read-body.js";
import { sendEmpty, sendJson } from "./respond.js";
import type { Handler } from "./routes.js";

/** What every route of the control API works through. */
export interface ControlDeps {
  readonly logger: Logger;
  readonly maxBodyBytes: number;
}

/** What people can mend: on the control socket, which is its owner's alone, its message is shown though it may name files. */
const SHOWN: ReadonlySet<GatewayErrorCode> = new Set(["USER_INPUT", "SERVICE_MAP", "REGISTRY_IO"]);

/**
 * Runs `task`, which answers; when it fails, that is the answer: HTTP 400 with the error. What people can mend also has our own code, beside the error and
 * not in its `data`, where an upstream could put one: so that the command line tells the same whether a gateway runs or not.
 */
export function run({ logger }: ControlDeps, response: ServerResponse, task: () => Promise<void>): void {
  task().catch((error: unknown) => {
    logger.debug({ err: error }, "A control request failed");
    if (!response.headersSent) sendControlError(response, 400, error);
  });
}

/** Refuses every method but POST, reads the body, and runs `task` with it. */
export function onlyPost(deps: ControlDeps, task: (body: Buffer, response: ServerResponse) => Promise<void>): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== "POST") {
      sendEmpty(response, 405, { allow: "POST" });
      return;
    }
    readBody(request, deps.maxBodyBytes, (failure, body) => {
      if (failure === undefined) run(deps, response, async () => task(body, response));
      else sendControlError(response, 413, new GatewayError("INVALID_PARAMS", `The body is ${failure}`));
    });
  };
}

/**
 * The JSON object in a body; that of an empty body has no members.
 * @throws GatewayError PARSE_ERROR or INVALID_PARAMS
 */
export function objectIn(body: Buffer): JsonObject {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new GatewayError("PARSE_ERROR", "The body is not JSON", { cause: error });
  }
  if (!isJsonObject(value)) throw new GatewayError("INVALID_PARAMS", "The body must be a JSON object");
  return value;
}

function sendControlError(response: ServerResponse, status: number, error: unknown): void {
  if (GatewayError.is(error) && SHOWN.has(error.code)) {
    const { code, message } = error;
    sendJson(response, status, { error: { code: WIRE_CODE[code], message }, code });
  } else sendJson(response, status, { error: toJsonRpcError(error) });
}
