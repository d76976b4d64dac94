import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { onTestFinished } from "vitest";

/** An MCP server with one tool that wants OAuth, and is its own authorization server. */
export class OAuthServer {
  url = "";
  /** What its pages and endpoints were asked. */
  readonly asked: string[] = [];
  readonly good = new Set<string>();
  readonly #codes = new Map<string, URLSearchParams>();
  #last = 0;

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/mcp`;
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
  }

  /** Does what a browser does that is sent to `start`, with a person in front who says yes. */
  async browse(start: string): Promise<Response> {
    const { headers } = await fetch(start, { redirect: "manual" });
    const page = await fetch(headers.get("location") ?? "", { redirect: "manual" });
    return fetch(page.headers.get("location") ?? "");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = new URL(this.url);
    const { pathname, searchParams } = new URL(request.url ?? "/", origin);
    const body = await text(request);
    this.asked.push(pathname);
    if (pathname === "/mcp") this.#mcp(request.headers.authorization, body, response);
    else if (pathname === "/.well-known/oauth-protected-resource/mcp")
      json(response, 200, { resource: this.url, authorization_servers: [origin] });
    else if (pathname === "/.well-known/oauth-authorization-server") {
      json(response, 200, {
        ...{ issuer: origin, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
        ...{ registration_endpoint: `${origin}/register`, response_types_supported: ["code"] },
        code_challenge_methods_supported: ["S256"],
      });
    } else if (pathname === "/register")
      json(response, 201, { ...(JSON.parse(body) as JsonObject), client_id: "c", token_endpoint_auth_method: "none" });
    else if (pathname === "/authorize") this.#authorize(searchParams, response);
    else if (pathname === "/token") this.#token(new URLSearchParams(body), response);
    else response.writeHead(404).end();
  }

  #authorize(params: URLSearchParams, response: ServerResponse): void {
    const code = `code-${String(++this.#last)}`;
    this.#codes.set(code, params);
    const back = new URL(params.get("redirect_uri") ?? "");
    back.search = new URLSearchParams({ code, state: params.get("state") ?? "" }).toString();
    response.writeHead(302, { location: back.href }).end();
  }

  #token(params: URLSearchParams, response: ServerResponse): void {
    const asked = this.#codes.get(params.get("code") ?? "");
    const digest = createHash("sha256")
      .update(params.get("code_verifier") ?? "")
      .digest("base64url");
    if (asked?.get("code_challenge") !== digest) {
      json(response, 400, { error: "invalid_grant" });
      return;
    }
    const token = `access-${String(++this.#last)}`;
    this.good.add(token);
    json(response, 200, { access_token: token, refresh_token: `refresh-${token}`, token_type: "bearer" });
  }

  #mcp(authorization: string | undefined, body: string, response: ServerResponse): void {
    if (!this.good.has(authorization?.replace(/^Bearer /, "") ?? "")) {
      response.writeHead(401, { "www-authenticate": "Bearer" }).end();
      return;
    }
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const results: Record<string, JsonObject> = {
      "server/discover": { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } },
      "tools/list": { tools: [{ name: "greet", inputSchema: { type: "object" } }] },
      "tools/call": { content: [{ type: "text", text: "hello" }] },
    };
    const result = results[method];
    if (result === undefined) json(response, 404, { jsonrpc: "2.0", id, error: { code: -32_601, message: "no" } });
    else json(response, 200, { jsonrpc: "2.0", id, result: { resultType: "complete", ...result } });
  }
}

function json(response: ServerResponse, status: number, value: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
