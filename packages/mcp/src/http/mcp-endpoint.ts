import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import {
  eraOfRevision,
  HEADER,
  META,
  metaOf,
  type ClassifiedMessage,
  type Era,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import { readMessage, type ReadMessage } from "../gateway/read-message.js";
import type { Scope } from "../gateway/scope.js";
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

/** `/mcp`, and `/mcp/-/<key>` for each connector: both eras on one path. A request says itself to which it belongs. */
export class McpEndpoint {
  readonly #deps: McpEndpointDeps;
  readonly #legacy: LegacyHttp;

  constructor(deps: McpEndpointDeps) {
    this.#deps = deps;
    this.#legacy = new LegacyHttp(deps.gateway, deps, deps.logger, deps.metrics);
  }

  /** @param key the connector that is asked for by its own address; absent at that of all */
  handle(request: IncomingMessage, response: ServerResponse, key?: string): void {
    switch (request.method) {
      case "POST":
        this.#post(request, response, key);
        return;
      case "GET":
      case "DELETE":
        this.#sessionRequest(request, response, key);
        return;
      default:
        sendEmpty(response, 405, { allow: "GET, POST, DELETE" });
    }
  }

  #post(request: IncomingMessage, response: ServerResponse, key: string | undefined): void {
    if (!isJson(request.headers["content-type"])) {
      this.#deps.metrics.rejected("headers");
      sendError(response, 415, new GatewayError("INVALID_REQUEST", "Content-Type must be application/json"));
      return;
    }
    readBody(request, this.#deps.maxBodyBytes, (failure, body) => {
      if (failure === undefined) this.#onBody(body, request, response, key);
      else this.#onBodyFailure(failure, request, response);
    });
  }

  #onBody(body: Buffer, request: IncomingMessage, response: ServerResponse, key: string | undefined): void {
    const read = readMessage(body);
    if (key === undefined) {
      this.#onMessage(this.#deps.gateway.scopes.whole, read, request, response);
      return;
    }
    this.#inScopeOf(key, response, requestIdOf(read), (scope) => {
      this.#onMessage(scope, read, request, response);
    });
  }

  #onMessage(scope: Scope, read: ReadMessage, request: IncomingMessage, response: ServerResponse): void {
    if (!read.ok) {
      if (read.batch !== undefined && this.#legacy.batch(scope, read.batch, request, response)) return;
      this.#deps.metrics.rejected("body");
      sendError(response, 400, read.error, read.id);
      return;
    }
    const { message } = read;
    if (eraOf(message, request) === "legacy") {
      this.#legacy.post(scope, message, request, response);
      return;
    }
    switch (message.kind) {
      case "request":
        handleModern(this.#deps.gateway, scope, this.#deps, message.message, request, response);
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

  #sessionRequest(request: IncomingMessage, response: ServerResponse, key: string | undefined): void {
    const revision = request.headers[HEADER.protocolVersion];
    const isModern = typeof revision === "string" && eraOfRevision(revision) === "modern";
    if (isModern || request.headers[HEADER.sessionId] === undefined) {
      // The modern era has neither (2026-07-28, Streamable HTTP, Earlier Revisions); a legacy client has a session to name.
      sendEmpty(response, 405, { allow: "POST" });
      return;
    }
    if (key === undefined) this.#onSessionRequest(this.#deps.gateway.scopes.whole, request, response);
    else {
      this.#inScopeOf(key, response, undefined, (scope) => {
        this.#onSessionRequest(scope, request, response);
      });
    }
  }

  #onSessionRequest(scope: Scope, request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "GET") this.#legacy.get(scope, request, response);
    else this.#legacy.delete(scope, request, response);
  }

  /** Goes on in the connector's scope. One that is not known is never another one's, or that of all. */
  #inScopeOf(key: string, response: ServerResponse, id: RequestId | undefined, then: (scope: Scope) => void): void {
    const { scopes } = this.#deps.gateway;
    const scope = scopes.find(key);
    const wait = scope === undefined ? scopes.untilKnown() : undefined;
    const go = (found: Scope | undefined): void => {
      if (found !== undefined) then(found);
      else this.#refuseScope(key, response, id);
    };
    if (wait === undefined) {
      go(scope);
      return;
    }
    const forget = wait(() => {
      response.off("close", forget);
      if (!response.destroyed) go(scopes.find(key));
    });
    response.once("close", forget);
  }

  #refuseScope(key: string, response: ServerResponse, id: RequestId | undefined): void {
    this.#deps.metrics.rejected("scope");
    const message = `There is no connector ${JSON.stringify(key)} here: cortex-mcp list shows which there are`;
    sendError(response, 404, new GatewayError("INVALID_REQUEST", message), id);
  }
}

const requestIdOf = (read: ReadMessage): RequestId | undefined => {
  if (!read.ok) return read.id;
  return read.message.kind === "request" ? read.message.message.id : undefined;
};

/** A request is modern when its header or its body says so; what says nothing is as old as the revisions that said nothing. */
function eraOf(message: Exclude<ClassifiedMessage, { kind: "invalid" }>, request: IncomingMessage): Era {
  const header = request.headers[HEADER.protocolVersion];
  if (typeof header === "string" && eraOfRevision(header) === "modern") return "modern";
  if (message.kind !== "request") return "legacy";
  return metaOf(message.message.params)?.[META.protocolVersion] === undefined ? "legacy" : "modern";
}
