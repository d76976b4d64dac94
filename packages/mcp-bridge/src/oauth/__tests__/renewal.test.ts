import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { called } from "../../runtime/__tests__/proxy-to.js";
import type { StoredAuthorization } from "../oauth-store.js";
import { authorizationServer } from "./test-authorization-server.js";
import { MemoryStore, oauthTo, protectedUpstream, WillingPerson } from "./oauth-under-test.js";

/** Somebody was logged in; the gateway that uses the tokens has nobody to ask. */
async function used(options: { scope?: string } = {}) {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server], ...options });
  const store = new MemoryStore();
  await oauthTo(up, { store, person: new WillingPerson(() => [server]) }).authorization.login({});
  const kit = oauthTo(up, { store });
  await kit.proxy.connect();
  return { server, up, ...kit };
}

describe("tokens that are renewed", () => {
  test.each([
    [503, { error: "temporarily_unavailable" }],
    [429, { error: "too_many_requests" }],
  ])("stay when the server only says HTTP %i %j: it will do so later", async (status, body) => {
    const { server, store, proxy } = await used();
    server.expire();
    server.options = {
      token: (_, response) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        return true;
      },
    };
    const { error } = await called(proxy);
    expect(error?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(error?.message).not.toContain("needs login");
    expect(store.kept?.credentials[0]?.tokens?.refresh_token).toBeDefined();
  });

  test("are not brought back when somebody logs out meanwhile", async () => {
    const { server, store, proxy } = await used();
    server.expire();
    server.options = {
      token: () => {
        store.kept = undefined;
        return false;
      },
    };
    expect((await called(proxy)).error?.message).toContain("needs login");
    expect(store.kept).toBeUndefined();
  });

  test("are not put over those of a login that ended meanwhile", async () => {
    const { server, store, proxy } = await used();
    const before = store.kept;
    server.expire();
    let newer: StoredAuthorization | undefined;
    server.options = {
      token: () => {
        const [credentials] = before?.credentials ?? [];
        if (before === undefined || credentials === undefined) return false;
        server.good.set("by-login", "");
        const tokens = { access_token: "by-login", refresh_token: "of-login" };
        newer = { ...before, credentials: [{ ...credentials, tokens }] };
        store.kept = newer;
        return false;
      },
    };
    expect((await called(proxy)).status).toBe(200);
    expect(store.kept).toBe(newer);
  });

  test("are renewed once, however many processes find them ended at once: a refresh token that comes twice may end them all", async () => {
    const { server, up, store } = await used();
    const gateways = Array.from({ length: 4 }, () => oauthTo(up, { store }));
    for (const { proxy } of gateways) await proxy.connect();
    server.expire();
    const sinks = await Promise.all(gateways.map(({ proxy }) => called(proxy)));
    expect(sinks.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const renewals = server.seen.filter(({ params }) => params.get("grant_type") === "refresh_token");
    expect(renewals).toHaveLength(1);
  });

  test("that could not be stored are not replaced by older ones when something else can be", async () => {
    const { server, store, proxy } = await used({ scope: "write" });
    server.expire();
    store.failing = true;
    expect((await called(proxy)).error?.message).toContain("more scopes");
    store.failing = false;
    expect((await called(proxy)).error?.message).toContain("more scopes");
    server.expire();
    expect((await called(proxy)).error?.message).toContain("more scopes");
    // Until a login asks for it, what the upstream wanted is not forgotten.
    expect(store.kept?.wanted).toBe("write");
  });

  test("and are refused all the same make it down after one renewal", async () => {
    const { server, proxy } = await used();
    server.good.get = () => undefined;
    const { error } = await called(proxy);
    expect(error?.message).toContain("does not accept the token");
    expect(error?.message).not.toContain("headers");
    expect(proxy.state.kind).toBe("down");
    expect(server.seen.filter(({ params }) => params.get("grant_type") === "refresh_token")).toHaveLength(1);
  });
});

describe("scopes that nobody can grant now", () => {
  test("are looked into once, not for every call that is refused", async () => {
    const { server, up, store, proxy } = await used({ scope: "write" });
    const asked = server.seen.length;
    const messages = new Set<string | undefined>();
    for (let call = 0; call < 5; call++) messages.add((await called(proxy)).error?.message);
    expect([...messages]).toEqual([expect.stringContaining("needs login for more scopes")]);
    expect(server.seen.length - asked).toBe(1);
    expect(up.of("tools/call")).toHaveLength(5);
    // A login elsewhere counts at once.
    await oauthTo(up, { store, person: new WillingPerson(() => [server]) }).authorization.login({});
    expect((await called(proxy)).status).toBe(200);
  });

  test("do not fill the disk, whatever the upstream makes up", async () => {
    const options = { scope: "" };
    const { store, proxy } = await used(options);
    for (let call = 0; call < 20; call++) {
      options.scope = `made-up-${String(call)}-${"x".repeat(2_000)}`;
      await called(proxy);
    }
    expect(JSON.stringify(store.kept).length).toBeLessThan(10_000);
  });
});

test("a login that cannot be stored has failed", async () => {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server] });
  const store = new MemoryStore();
  store.failing = true;
  const { authorization } = oauthTo(up, { store, person: new WillingPerson(() => [server]) });
  await expect(authorization.login({})).rejects.toThrow("could not be stored");
});

test("nothing that an authorization server says in its words hangs on an error", async () => {
  const server = await authorizationServer({
    token: ({ params }, response) => {
      const description = `canary ${params.get("code") ?? ""}`;
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid_grant", error_description: description }));
      return true;
    },
  });
  const up = await protectedUpstream({ servers: [server] });
  const { authorization } = oauthTo(up, { person: new WillingPerson(() => [server]) });
  const failure: unknown = await authorization.login({}).catch((error: unknown) => error);
  expect(String(failure)).toContain("invalid_grant");
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toMatch(/canary|code-\d/);
});
