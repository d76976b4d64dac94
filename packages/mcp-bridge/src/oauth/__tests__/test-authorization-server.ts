import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { onTestFinished, vi, expect } from "vitest";

/** One request to the server, with its form or its query. */
export interface SeenRequest {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly body: string;
  readonly authorization: string | undefined;
}

/** What a test has it do differently; `undefined` leaves a member of the metadata out. */
export interface AuthorizationServerOptions {
  readonly metadata?: (own: JsonObject) => JsonObject;
  /** The answer to a redirect, as it should be. @returns what the browser comes back with */
  readonly answer?: (params: URLSearchParams) => URLSearchParams;
  /** Answers a token request instead of the server. @returns whether it did */
  readonly token?: (seen: SeenRequest, response: ServerResponse) => boolean;
}

/**
 * A small authorization server on a real socket, as OAuth 2.1 has it: registers clients, checks PKCE and `resource`, rotates refresh tokens, and knows which access
 * tokens are good.
 */
export class TestAuthorizationServer {
  readonly seen: SeenRequest[] = [];
  /** Access tokens that are good, and the scopes that they have. */
  readonly good = new Map<string, string>();
  options: AuthorizationServerOptions;
  issuer = "";
  readonly #clients = new Map<string, { readonly redirectUris: readonly string[] }>();
  readonly #codes = new Map<
    string,
    { readonly challenge: string; readonly scope: string; readonly resource: string }
  >();
  readonly #refresh = new Map<string, string>();
  #last = 0;

  constructor(options: AuthorizationServerOptions) {
    this.options = options;
  }

  /** The paths that were asked, without metadata. */
  get asked(): string[] {
    return this.seen.map(({ path }) => path).filter((path) => !path.startsWith("/.well-known/"));
  }

  /** The form of the last token request. */
  get lastToken(): URLSearchParams {
    return this.seen.findLast(({ path }) => path === "/token")?.params ?? new URLSearchParams();
  }

  /** Ends all access tokens. @param refreshToo also what renews them */
  expire(refreshToo = false): void {
    this.good.clear();
    if (refreshToo) this.#refresh.clear();
  }

  /** Registers a client by hand. */
  register(redirectUris: readonly string[]): string {
    const id = `client-${String(++this.#last)}`;
    this.#clients.set(id, { redirectUris });
    return id;
  }

  /** Says yes in the place of a person. @returns where the browser is sent then */
  consent(url: URL): URL {
    const { searchParams: params } = url;
    const back = new URL(params.get("redirect_uri") ?? "");
    const client = this.#clients.get(params.get("client_id") ?? "");
    expect(client?.redirectUris, "the redirect URI is registered").toContain(back.href);
    expect(params.get("code_challenge_method")).toBe("S256");
    const code = `code-${String(++this.#last)}`;
    this.#codes.set(code, {
      challenge: params.get("code_challenge") ?? "",
      scope: params.get("scope") ?? "",
      resource: params.get("resource") ?? "",
    });
    const answer = new URLSearchParams({ code, state: params.get("state") ?? "", iss: this.issuer });
    back.search = (this.options.answer?.(answer) ?? answer).toString();
    return back;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    this.issuer = `http://127.0.0.1:${typeof address === "object" && address !== null ? String(address.port) : ""}`;
    onTestFinished(async () => {
      await vi.waitFor(
        () =>
          new Promise<void>((resolve, reject) => {
            server.getConnections((_, count) =>
              count === 0 ? resolve() : reject(new Error(`${String(count)} left open`)),
            );
          }),
      );
      server.close();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.issuer);
    const body = await text(request);
    const isForm = request.headers["content-type"]?.includes("form") === true;
    const params = isForm ? new URLSearchParams(body) : url.searchParams;
    const { authorization } = request.headers;
    const seen = { path: url.pathname, params, body, authorization };
    this.seen.push(seen);
    if (url.pathname === "/.well-known/oauth-authorization-server") answered(response, 200, this.#metadata());
    else if (url.pathname === "/register") this.#register(body, response);
    else if (url.pathname === "/token") {
      if (this.options.token?.(seen, response) !== true) this.#token(params, response);
    } else response.writeHead(404).end();
  }

  #metadata(): JsonObject {
    const { issuer } = this;
    const own: JsonObject = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
      authorization_response_iss_parameter_supported: true,
    };
    return this.options.metadata?.(own) ?? own;
  }

  #register(body: string, response: ServerResponse): void {
    const wanted = JSON.parse(body) as { redirect_uris: readonly string[] };
    const id = this.register(wanted.redirect_uris);
    answered(response, 201, { ...wanted, client_id: id, token_endpoint_auth_method: "none" });
  }

  #token(params: URLSearchParams, response: ServerResponse): void {
    const grant = params.get("grant_type");
    if (grant === "refresh_token") {
      const token = params.get("refresh_token") ?? "";
      const scope = this.#refresh.get(token);
      this.#refresh.delete(token);
      if (scope === undefined) answered(response, 400, { error: "invalid_grant", error_description: "secret-canary" });
      else this.#grant(scope, response);
      return;
    }
    if (grant === "client_credentials") {
      this.#grant(params.get("scope") ?? "", response);
      return;
    }
    const code = this.#codes.get(params.get("code") ?? "");
    this.#codes.delete(params.get("code") ?? "");
    const digest = createHash("sha256")
      .update(params.get("code_verifier") ?? "")
      .digest("base64url");
    const isGood = code !== undefined && code.challenge === digest && code.resource === params.get("resource");
    if (isGood) this.#grant(code.scope, response);
    else answered(response, 400, { error: "invalid_grant" });
  }

  #grant(scope: string, response: ServerResponse): void {
    const number = String(++this.#last);
    this.good.set(`access-${number}-of-${this.issuer}`, scope);
    this.#refresh.set(`refresh-${number}`, scope);
    answered(response, 200, {
      access_token: `access-${number}-of-${this.issuer}`,
      refresh_token: `refresh-${number}`,
      token_type: "Bearer",
      expires_in: 3600,
      ...(scope === "" ? {} : { scope }),
    });
  }
}

function answered(response: ServerResponse, status: number, value: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** One that runs until the end of the test, and fails it when a connection was left open. */
export async function authorizationServer(options: AuthorizationServerOptions = {}): Promise<TestAuthorizationServer> {
  const server = new TestAuthorizationServer(options);
  await server.start();
  return server;
}
