import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { eraOfRevision, HEADER, META, metaOf, type ClassifiedMessage, type Era } from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import { readMessage } from "../gateway/read-message.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { isJson } from "./content-type.js";
import { LegacyHttp, type LegacyHttpDeps } from "./legacy-post.js";
import { handleModern } from "./modern-post.js";
import { readBody, type BodyFailure } from "./read-body.js";
import { refuseBody } from "./refuse-body.js";
import { sendEmpty, sendError } from "./respond.js";

/** What the endpoint works through. */
export interface McpEndpointDeps extends LegacyHttpDeps {
  readonly gateway: Gateway;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
}

/** `/mcp`: both eras on one path. A request says itself to which it belongs. */
export class McpEndpoint {
  readonly #deps: McpEndpointDeps;
  readonly #legacy: LegacyHttp;

  constructor(deps: McpEndpointDeps) {
    this.#deps = deps;
    this.#legacy = new LegacyHttp(deps.gateway, deps, deps.logger, deps.metrics);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    switch (request.method) {
      case "POST":
        this.#post(request, response);
        return;
      case "GET":
      case "DELETE":
        this.#sessionRequest(request, response);
        return;
      default:
        sendEmpty(response, 405, { allow: "GET, POST, DELETE" });
    }
  }

  #post(request: IncomingMessage, response: ServerResponse): void {
    if (!isJson(request.headers["content-type"])) {
      this.#deps.metrics.rejected("headers");
      sendError(response, 415, new GatewayError("INVALID_REQUEST", "Content-Type must be application/json"));
      return;
    }
    readBody(request, this.#deps.maxBodyBytes, (failure, body) => {
      if (failure === undefined) this.#onBody(body, request, response);
      else this.#onBodyFailure(failure, request, response);
    });
  }

  #onBody(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const read = readMessage(body);
    if (!read.ok) {
      if (read.batch !== undefined && this.#legacy.batch(read.batch, request, response)) return;
      this.#deps.metrics.rejected("body");
      sendError(response, 400, read.error, read.id);
      return;
    }
    const { message } = read;
    if (eraOf(message, request) === "legacy") {
      this.#legacy.post(message, request, response);
      return;
    }
    switch (message.kind) {
      case "request":
        handleModern(this.#deps.gateway, this.#deps, message.message, request, response);
        return;
      case "notification":
        sendEmpty(response, 202);
        return;
      case "response":
        this.#deps.metrics.rejected("body");
        sendError(response, 400, new GatewayError("INVALID_REQUEST", "Clients of this revision do not send responses"));
    }
  }

  #onBodyFailure(failure: BodyFailure, request: IncomingMessage, response: ServerResponse): void {
    this.#deps.metrics.rejected("body");
    if (failure === "broken") {
      response.destroy();
      return;
    }
    const message = `The body is larger than ${this.#deps.maxBodyBytes} bytes`;
    refuseBody(request, response, this.#deps.timers, new GatewayError("INVALID_REQUEST", message));
  }

  #sessionRequest(request: IncomingMessage, response: ServerResponse): void {
    const revision = request.headers[HEADER.protocolVersion];
    const isModern = typeof revision === "string" && eraOfRevision(revision) === "modern";
    if (isModern || request.headers[HEADER.sessionId] === undefined) {
      // The modern era has neither (2026-07-28, Streamable HTTP, Earlier Revisions); a legacy client has a session to name.
      sendEmpty(response, 405, { allow: "POST" });
      return;
    }
    if (request.method === "GET") this.#legacy.get(request, response);
    else this.#legacy.delete(request, response);
  }
}

/** A request is modern when its header or its body says so; what says nothing is as old as the revisions that said nothing. */
function eraOf(message: Exclude<ClassifiedMessage, { kind: "invalid" }>, request: IncomingMessage): Era {
  const header = request.headers[HEADER.protocolVersion];
  if (typeof header === "string" && eraOfRevision(header) === "modern") return "modern";
  if (message.kind !== "request") return "legacy";
  return metaOf(message.message.params)?.[META.protocolVersion] === undefined ? "legacy" : "modern";
}
