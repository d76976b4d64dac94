import type { OAuthSettings } from "@cortex-os/mcp-core";
import { systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import {
  json,
  modern,
  result,
  upstream,
  type Script,
  type ScriptedUpstream,
} from "../../http/__tests__/scripted-upstream.js";
import { proxyTo } from "../../runtime/__tests__/proxy-to.js";
import type { OAuthPerson } from "../oauth-person.js";
import type { OAuthStore, StoredAuthorization } from "../oauth-store.js";
import { UpstreamOAuth, type UpstreamOAuthOptions } from "../upstream-oauth.js";
import type { TestAuthorizationServer } from "./test-authorization-server.js";

/** What the protected upstream says and wants. */
export interface ProtectedOptions {
  /** Who authorises it, of several in turn. */
  servers: readonly TestAuthorizationServer[];
  /** The scope that a call needs. */
  scope?: string;
  metadata?: (own: JsonObject) => JsonObject;
  /** The address of the metadata in the challenge. @default the well-known one, not named */
  named?: string;
}

/** An upstream that answers only who brings a token of its authorization servers. */
export async function protectedUpstream(options: ProtectedOptions): Promise<ScriptedUpstream> {
  const calls = modern((seen, res) =>
    json(res, 200, result(seen, { resultType: "complete", content: [], isError: false, tools: [] })),
  );
  const script: Script = (seen, res) => {
    if (seen.url.startsWith("/.well-known/oauth-protected-resource")) {
      const own = { resource: server.url, authorization_servers: options.servers.map(({ issuer }) => issuer) };
      json(res, 200, options.metadata?.(own) ?? own);
      return;
    }
    if (seen.http === "GET" && seen.url.startsWith("/.well-known/")) {
      res.writeHead(404).end();
      return;
    }
    const token = seen.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const granted = options.servers[0]?.good.get(token);
    const named = options.named === undefined ? "" : ` resource_metadata="${options.named}"`;
    if (granted === undefined)
      res.writeHead(401, { "www-authenticate": `Bearer error="invalid_token",${named}` }).end("no");
    else if (options.scope !== undefined && seen.method === "tools/call" && !granted.split(" ").includes(options.scope))
      res
        .writeHead(403, { "www-authenticate": `Bearer error="insufficient_scope", scope="${options.scope}"` })
        .end("more");
    else calls(seen, res);
  };
  const server = await upstream(script);
  return server;
}

/** Keeps an authorization in memory. */
export class MemoryStore implements OAuthStore {
  kept: StoredAuthorization | undefined;
  failing = false;
  updates = 0;

  read(): StoredAuthorization | undefined {
    return this.kept;
  }

  update(change: (current: StoredAuthorization | undefined) => StoredAuthorization): Promise<void> {
    this.updates += 1;
    if (this.failing) return Promise.reject(new Error("the disk is full"));
    this.kept = change(this.kept);
    return Promise.resolve();
  }
}

/** Says yes at once, at the server whose URL it is. */
export class WillingPerson implements OAuthPerson {
  readonly visited: URL[] = [];
  readonly #servers: () => readonly TestAuthorizationServer[];
  open = 0;

  constructor(servers: () => readonly TestAuthorizationServer[]) {
    this.#servers = servers;
  }

  async receive() {
    this.open += 1;
    return {
      redirectUrl: "http://127.0.0.1:1/callback",
      visit: async (url: URL) => {
        this.visited.push(url);
        const server = this.#servers().find(({ issuer }) => issuer === url.origin);
        return server?.consent(url).searchParams ?? new URLSearchParams();
      },
      close: async () => {
        this.open -= 1;
      },
    };
  }
}

/** A proxy to a protected upstream, and all that its authorization works with. */
export function oauthTo(
  server: ScriptedUpstream,
  options: { settings?: OAuthSettings; person?: OAuthPerson; store?: MemoryStore; secret?: string } = {},
) {
  const { settings, person, store = new MemoryStore(), secret } = options;
  const logger = new RecordingLogger();
  const made: UpstreamOAuthOptions = {
    ...{ key: "up", url: server.url, store, timers: systemTimers, logger },
    ...(settings === undefined ? {} : { settings }),
    ...(person === undefined ? {} : { person }),
    ...(secret === undefined ? {} : { secret: () => Promise.resolve(secret) }),
  };
  const authorization = new UpstreamOAuth(made);
  return { ...proxyTo(server.url, { authorization, logger }), authorization, store, logger };
}
