import { describe, expect, test, vi } from "vitest";
import { specFor } from "../../http/__tests__/open-link.js";
import { called, proxyTo } from "../../runtime/__tests__/proxy-to.js";
import { authorizationServer } from "./test-authorization-server.js";
import { MemoryStore, oauthTo, protectedUpstream, WillingPerson } from "./oauth-under-test.js";

async function loggedIn(options: { scope?: string } = {}) {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server], ...options });
  const person = new WillingPerson(() => [server]);
  const kit = oauthTo(up, { person });
  await kit.proxy.connect();
  return { server, up, person, ...kit };
}

describe("an upstream that answers 401 is authorised", () => {
  test("by protected-resource metadata, registration, PKCE and `resource`, and the refused request is sent again", async () => {
    const { server, up, proxy, person } = await loggedIn();
    expect(proxy.state.kind).toBe("up");
    expect(server.asked).toEqual(["/register", "/token"]);
    const [url] = person.visited;
    expect(url?.searchParams.get("resource")).toBe(up.url);
    expect(server.lastToken.get("resource")).toBe(up.url);
    expect(server.lastToken.get("code_verifier")).toMatch(/^[\w.~-]{43,}$/);
    expect(up.of("server/discover").map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      `Bearer ${[...server.good.keys()].join()}`,
    ]);
    expect(person.open).toBe(0);
  });

  test("a call, too: what was refused was not carried out, so it is sent once more with renewed tokens", async () => {
    const { server, up, proxy } = await loggedIn();
    server.expire();
    const sink = await called(proxy);
    expect(sink.status).toBe(200);
    expect(server.lastToken.get("grant_type")).toBe("refresh_token");
    expect(server.lastToken.get("resource")).toBe(up.url);
    expect(up.of("tools/call")).toHaveLength(2);
  });

  test("a hundred calls that are refused at once share one renewal", async () => {
    const { server, proxy } = await loggedIn();
    server.expire();
    const sinks = await Promise.all(Array.from({ length: 100 }, () => called(proxy)));
    expect(sinks.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(server.asked).toEqual(["/register", "/token", "/token"]);
  });

  test("with headers that were configured, nobody is asked: they win", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const person = new WillingPerson(() => [server]);
    const { authorization } = oauthTo(up, { person });
    const { proxy } = proxyTo(up.url, {
      spec: specFor(up.url, { headers: { Authorization: "Bearer mine" } }),
      authorization,
    });
    await expect(proxy.connect()).rejects.toThrow("check the headers configured for it");
    expect(person.visited).toEqual([]);
  });

  test("nobody to ask: the connector is down, and says what to do", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const { proxy } = oauthTo(up);
    await expect(proxy.connect()).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining('Connector "up" needs login: run cortex-mcp login up'),
    });
    expect(proxy.state.kind).toBe("down");
    expect(server.asked).toEqual([]);
  });

  test("tokens that end while it is up, and cannot be renewed, make it down", async () => {
    const { server, up, store } = await loggedIn();
    const { proxy } = oauthTo(up, { store });
    await proxy.connect();
    server.expire(true);
    const sink = await called(proxy);
    expect(sink.error?.message).toContain("needs login: run cortex-mcp login up");
    expect(proxy.state.kind).toBe("down");
  });

  test("a login elsewhere is taken up at the next attempt", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const store = new MemoryStore();
    const { proxy } = oauthTo(up, { store });
    await expect(proxy.connect()).rejects.toThrow("needs login");
    const { authorization } = oauthTo(up, { store, person: new WillingPerson(() => [server]) });
    await authorization.login({});
    await proxy.connect();
    expect(proxy.state.kind).toBe("up");
  });

  test("the authorization server does not answer: the connector is down, and its tokens stay", async () => {
    const { server, store, proxy } = await loggedIn();
    server.expire();
    server.options = {
      token: (_, response) => {
        response.writeHead(503).end();
        return true;
      },
    };
    const sink = await called(proxy);
    expect(sink.error?.code).toBe("UPSTREAM_UNAVAILABLE");
    server.options = {};
    await vi.waitFor(async () => expect((await called(proxy)).status).toBe(200));
    expect(store.kept?.credentials).toHaveLength(1);
  });
});

describe("scopes", () => {
  test("a call that needs more is authorised anew, with all that was asked for before", async () => {
    const { proxy, person } = await loggedIn({ scope: "write" });
    expect((await called(proxy)).status).toBe(200);
    expect(person.visited.map((url) => url.searchParams.get("scope"))).toEqual([null, "write"]);
  });

  test("what is asked for in vain is not asked for again", async () => {
    const { server, proxy, person } = await loggedIn({ scope: "write" });
    vi.spyOn(server.good, "get").mockReturnValue("read");
    const sink = await called(proxy);
    expect(sink.error?.message).toContain("wants more than it was authorised for");
    expect(person.visited).toHaveLength(2);
    await called(proxy);
    expect(person.visited).toHaveLength(2);
    expect(proxy.state.kind).toBe("up");
  });

  test("with nobody to ask it says so, and the next login asks for them", async () => {
    const { server, up, store } = await loggedIn({ scope: "write" });
    const { proxy } = oauthTo(up, { store });
    await proxy.connect();
    expect((await called(proxy)).error?.message).toContain("needs login for more scopes: run cortex-mcp login up");
    const person = new WillingPerson(() => [server]);
    await oauthTo(up, { store, person }).authorization.login({});
    expect(person.visited[0]?.searchParams.get("scope")).toBe("write");
    expect(store.kept?.wanted).toBeUndefined();
  });

  test("come from the challenge, else from the configuration, else from what the upstream supports", async () => {
    const server = await authorizationServer();
    const metadata = (own: object) => ({ ...own, scopes_supported: ["a", "b"] });
    const up = await protectedUpstream({ servers: [server], metadata });
    const person = new WillingPerson(() => [server]);
    await oauthTo(up, { person }).authorization.login({});
    await oauthTo(up, { person, settings: { scopes: ["mine"] } }).authorization.login({});
    await oauthTo(up, { person, settings: { scopes: ["mine"] } }).authorization.login({ scope: "asked" });
    expect(person.visited.map((url) => url.searchParams.get("scope"))).toEqual(["a b", "mine", "asked"]);
  });
});

describe("clients", () => {
  test("one that was registered by hand is used, with its secret, which is not kept", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const clientId = server.register(["http://127.0.0.1:1/callback"]);
    const person = new WillingPerson(() => [server]);
    const { proxy, store } = oauthTo(up, { person, settings: { clientId }, secret: "hidden" });
    await proxy.connect();
    expect(server.asked).toEqual(["/token"]);
    const basic = `Basic ${Buffer.from(`${clientId}:hidden`).toString("base64")}`;
    expect(server.seen.at(-1)?.authorization).toBe(basic);
    expect(JSON.stringify(store.kept)).not.toContain("hidden");
  });

  test("a URL that describes the client is its id where the server knows such", async () => {
    const server = await authorizationServer({
      metadata: (own) => ({ ...own, client_id_metadata_document_supported: true }),
    });
    const up = await protectedUpstream({ servers: [server] });
    const clientMetadataUrl = "https://client.example/cortex.json";
    const visited: URL[] = [];
    const person = {
      receive: async () => ({
        redirectUrl: "http://127.0.0.1:1/callback",
        visit: async (url: URL, state: string) => {
          visited.push(url);
          return new URLSearchParams({ error: "access_denied", state, iss: server.issuer });
        },
        close: async () => {},
      }),
    };
    const { proxy } = oauthTo(up, { person, settings: { clientMetadataUrl } });
    await expect(proxy.connect()).rejects.toThrow('said no (upstream text: "access_denied")');
    expect(visited[0]?.searchParams.get("client_id")).toBe(clientMetadataUrl);
    expect(server.asked).toEqual([]);
  });

  test("its own credentials are enough for the grant of that name", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const settings = { grant: "client_credentials", clientId: "machine", scopes: ["all"] } as const;
    const { proxy } = oauthTo(up, { settings, secret: "hidden" });
    await proxy.connect();
    expect(server.lastToken.get("grant_type")).toBe("client_credentials");
    expect(server.lastToken.get("resource")).toBe(up.url);
    expect(server.lastToken.get("scope")).toBe("all");
  });
});

test("an upstream of 2025-03-26 is its own authorization server: it has no metadata of the resource", async () => {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server] });
  const { script } = up;
  up.script = (seen, res) => {
    const { pathname } = new URL(seen.url, up.url);
    if (pathname.startsWith("/.well-known/oauth-protected-resource")) res.writeHead(404).end();
    else if (pathname === "/.well-known/oauth-authorization-server") {
      const origin = new URL(up.url).origin;
      const { issuer } = server;
      const metadata = {
        ...{ issuer: origin, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
        ...{ registration_endpoint: `${issuer}/register`, response_types_supported: ["code"] },
        code_challenge_methods_supported: ["S256"],
      };
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(metadata));
    } else script(seen, res);
  };
  server.options = { answer: (answer) => new URLSearchParams([...answer].filter(([name]) => name !== "iss")) };
  const { proxy } = oauthTo(up, { person: new WillingPerson(() => [server]) });
  await proxy.connect();
  expect(server.lastToken.get("resource")).toBe(up.url);
});
