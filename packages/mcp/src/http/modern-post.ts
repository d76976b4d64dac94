import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { HEADER, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import { modernCaller } from "../gateway/modern-client.js";
import type { Scope } from "../gateway/scope.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { HttpSink, type HttpSinkDeps } from "./http-sink.js";
import { validateModern } from "./validate-modern.js";

/** Answers one request of the modern era: everything needed is in it. */
export function handleModern(
  gateway: Gateway,
  scope: Scope,
  deps: HttpSinkDeps & { readonly metrics: GatewayMetrics },
  message: JsonRpcRequest,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const sink = new HttpSink(response, message.id, "modern", deps);
  const invalid = validateModern(message, request.headers);
  if (invalid !== undefined) {
    deps.metrics.rejected("headers");
    sink.failWith(400, invalid);
    return;
  }
  const call = { message, caller: modernCaller(message.params), scope, paramHeaders: paramHeadersOf(request.headers) };
  sink.attach(gateway.router.handle(call, sink));
}

const NONE: Readonly<Record<string, string>> = {};

function paramHeadersOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  let found: Record<string, string> | undefined;
  for (const name in headers) {
    if (!name.startsWith(HEADER.paramPrefix)) continue;
    const value = headers[name];
    if (typeof value === "string") (found ??= {})[name] = value;
  }
  return found ?? NONE;
}
