import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../gateway/gateway.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { sendEmpty, sendJson, sendText } from "./respond.js";

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the operators' routes tell about. */
export interface OpsRoutesDeps {
  readonly gateway: Gateway;
  readonly metrics: GatewayMetrics;
  readonly isDraining: () => boolean;
}

/**
 * `/livez`: the process answers. `/readyz`: it has a catalog to serve and is not going away; once the start is over, what has none is not starting but not ready.
 * `/metrics`: Prometheus.
 */
export function opsRoutes({ gateway, metrics, isDraining }: OpsRoutesDeps): Readonly<Record<string, Handler>> {
  let started = false;
  void gateway.settled().then(() => {
    started = true;
  });
  return {
    "/livez": onlyGet((_request, response) => {
      sendJson(response, 200, { status: "alive" });
    }),
    "/readyz": onlyGet((_request, response) => {
      if (isDraining()) sendJson(response, 503, { status: "draining" });
      else if (gateway.isReady) sendJson(response, 200, { status: "ready" });
      else sendJson(response, 503, { status: started ? "not ready" : "starting" });
    }),
    "/metrics": onlyGet((_request, response) => {
      gateway.measure();
      metrics.exposition().then(
        (text) => {
          sendText(response, 200, metrics.contentType, text);
        },
        () => {
          sendEmpty(response, 500);
        },
      );
    }),
  };
}

/** Refuses every method but GET and HEAD. */
export function onlyGet(handler: Handler): Handler {
  return (request, response) => {
    if (request.method === "GET" || request.method === "HEAD") handler(request, response);
    else sendEmpty(response, 405, { allow: "GET, HEAD" });
  };
}
