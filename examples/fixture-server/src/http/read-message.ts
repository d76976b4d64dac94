import type { IncomingMessage, ServerResponse } from "node:http";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { parseMessage, readBody, type ReadableMessage } from "./body.js";
import { sendFailure } from "./reply.js";
import type { RequestCounters } from "./request-counters.js";

/**
 * Reads the one message of a POST, and counts it.
 * @returns `undefined` when there is none: then the request is answered with the reason
 * @throws Error when the client breaks off
 */
export async function readMessage(
  req: IncomingMessage,
  res: ServerResponse,
  maxBodyBytes: number,
  counters: RequestCounters,
): Promise<ReadableMessage | undefined> {
  if (!/^application\/json\s*(?:;|$)/i.test(req.headers["content-type"] ?? "")) {
    sendFailure(res, 415, new RpcFailure(CODE.invalidRequest, "Content-Type must be application/json"));
    return undefined;
  }
  const body = await readBody(req, maxBodyBytes);
  if (body === undefined) {
    res.setHeader("connection", "close");
    sendFailure(res, 413, new RpcFailure(CODE.invalidRequest, `The body is longer than ${maxBodyBytes} bytes`));
    return undefined;
  }
  const message = parseMessage(body);
  counters.countMessage(message);
  if (message.kind === "unreadable") sendFailure(res, 400, new RpcFailure(CODE.parseError, "The body is not JSON"));
  else if (message.kind === "invalid") {
    sendFailure(res, 400, new RpcFailure(CODE.invalidRequest, message.reason), message.id);
  } else return message;
  return undefined;
}
