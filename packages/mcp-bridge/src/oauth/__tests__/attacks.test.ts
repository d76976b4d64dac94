import { systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { called } from "../../runtime/__tests__/proxy-to.js";
import { UpstreamOAuth } from "../upstream-oauth.js";
import { MemoryStore, oauthTo, protectedUpstream, WillingPerson } from "./oauth-under-test.js";
import { authorizationServer, type AuthorizationServerOptions } from "./test-authorization-server.js";

async function attacked(options: AuthorizationServerOptions) {
  const server = await authorizationServer(options);
  const up = await protectedUpstream({ servers: [server] });
  const person = new WillingPerson(() => [server]);
  return { server, up, person, ...oauthTo(up, { person }) };
}

const without = (answer: URLSearchParams, ...names: string[]) =>
  new URLSearchParams([...answer].filter(([name]) => !names.includes(name)));
const withParam = (answer: URLSearchParams, name: string, value: string) => {
  answer.set(name, value);
  return answer;
};

describe("an authorization server is refused, and no browser sent to it, when", () => {
  test.each<[string, AuthorizationServerOptions["metadata"], string]>([
    ["its metadata is another issuer's", (own) => ({ ...own, issuer: "https://evil.example" }), "names another issuer"],
    ["it says nothing of PKCE", (own) => ({ ...own, code_challenge_methods_supported: undefined }), "PKCE with S256"],
    ["it knows plain PKCE only", (own) => ({ ...own, code_challenge_methods_supported: ["plain"] }), "PKCE with S256"],
    [
      "its page is plain http on another machine",
      (own) => ({ ...own, authorization_endpoint: "http://evil.example/a" }),
      "not https",
    ],
    [
      "its page is a script",
      (own) => ({ ...own, authorization_endpoint: "javascript:alert(1)" }),
      "does not do what OAuth asks",
    ],
    ["its page is a file", (own) => ({ ...own, authorization_endpoint: "file:///etc/passwd" }), "not https"],
    ["programs cannot register there", (own) => ({ ...own, registration_endpoint: undefined }), "oauth.clientId"],
  ])("%s", async (_, metadata, reason) => {
    const { proxy, person, server } = await attacked(metadata === undefined ? {} : { metadata });
    await expect(proxy.connect()).rejects.toThrow(reason);
    expect(person.visited).toEqual([]);
    expect(server.asked).not.toContain("/token");
    expect(person.open).toBe(0);
  });
});

describe("an answer is refused, and its code goes nowhere, when", () => {
  test.each<[string, (answer: URLSearchParams) => URLSearchParams, string]>([
    [
      "it is another server's (mix-up)",
      (answer) => withParam(answer, "iss", "https://evil.example"),
      "not from the authorization server",
    ],
    [
      "the issuer differs in a slash",
      (answer) => withParam(answer, "iss", `${answer.get("iss") ?? ""}/`),
      "not from the authorization server",
    ],
    [
      "it does not name its issuer, as was promised",
      (answer) => without(answer, "iss"),
      "not from the authorization server",
    ],
    ["its state is another's", (answer) => withParam(answer, "state", "stolen"), "another state"],
    ["it has no state", (answer) => without(answer, "state"), "another state"],
    [
      "an error of another server comes with it",
      (answer) => withParam(without(answer, "code", "iss"), "error", "canary"),
      "not from the authorization server",
    ],
  ])("%s", async (_, answer, reason) => {
    const { proxy, server } = await attacked({ answer });
    const failure: unknown = await proxy.connect().catch((error: unknown) => error);
    expect(String(failure)).toContain(reason);
    expect(String(failure)).not.toContain("canary");
    expect(server.asked).toEqual(["/register"]);
  });
});

describe("credentials are of one issuer, and of one address", () => {
  test("when the upstream moves to another authorization server, nothing of the first one is sent there, and nothing of the second one to the first", async () => {
    const [first, second] = [await authorizationServer(), await authorizationServer()];
    const servers = { servers: [first] };
    const up = await protectedUpstream(servers);
    const person = new WillingPerson(() => [first, second]);
    const { proxy, store } = oauthTo(up, { person });
    await proxy.connect();
    const askedFirst = first.seen.length;
    servers.servers = [second];
    expect((await called(proxy)).status).toBe(200);
    const sent = JSON.stringify([...second.seen.map(({ body, authorization }) => [body, authorization])]);
    for (const { client, tokens } of store.kept?.credentials.filter(({ issuer }) => issuer === first.issuer) ?? []) {
      for (const secret of [tokens?.access_token, tokens?.refresh_token]) expect(sent).not.toContain(secret);
      expect(client).toBeDefined();
    }
    expect(second.asked).toEqual(["/register", "/token"]);
    expect(first.seen).toHaveLength(askedFirst);
    expect(store.kept?.credentials.map(({ issuer }) => issuer)).toEqual([first.issuer, second.issuer]);
  });

  test("a client that was configured goes to no second issuer by itself", async () => {
    const [first, second] = [await authorizationServer(), await authorizationServer()];
    const servers = { servers: [first] };
    const up = await protectedUpstream(servers);
    const clientId = first.register(["http://127.0.0.1:1/callback"]);
    const person = new WillingPerson(() => [first, second]);
    const { proxy } = oauthTo(up, { person, settings: { clientId }, secret: "hidden" });
    await proxy.connect();
    servers.servers = [second];
    expect((await called(proxy)).error?.message).toContain("name it as oauth.issuer");
    expect(second.asked).toEqual([]);
  });

  test("an issuer that was configured is the only one that will do", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const person = new WillingPerson(() => [server]);
    const { proxy } = oauthTo(up, { person, settings: { issuer: "https://login.example" } });
    await expect(proxy.connect()).rejects.toThrow("allows another");
    expect(server.asked).toEqual([]);
  });

  test("an entry that was given another address does not send the tokens of the old one", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server] });
    const { proxy, store } = oauthTo(up, { person: new WillingPerson(() => [server]) });
    await proxy.connect();
    const elsewhere = await protectedUpstream({ servers: [server] });
    await expect(oauthTo(elsewhere, { store }).proxy.connect()).rejects.toThrow("needs login");
    expect(elsewhere.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });
});

describe("an upstream cannot have the gateway ask around", () => {
  test("metadata of another resource is refused", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({
      servers: [server],
      metadata: (own) => ({ ...own, resource: "https://bank.example/mcp" }),
    });
    const { proxy } = oauthTo(up, { person: new WillingPerson(() => [server]) });
    await expect(proxy.connect()).rejects.toThrow("metadata is of another resource");
    expect(server.seen).toEqual([]);
  });

  test("from this machine to another it speaks https only, and follows no redirect there", async () => {
    const server = await authorizationServer();
    const up = await protectedUpstream({ servers: [server], named: "http://169.254.169.254/latest" });
    const { proxy } = oauthTo(up);
    await expect(proxy.connect()).rejects.toThrow('names "http://169.254.169.254/latest" for its authorization');
    const redirecting = await protectedUpstream({ servers: [server] });
    const { script } = redirecting;
    redirecting.script = (seen, res) => {
      if (seen.url.startsWith("/.well-known/")) res.writeHead(302, { location: `${server.issuer}/secret` }).end();
      else script(seen, res);
    };
    await expect(oauthTo(redirecting).proxy.connect()).rejects.toThrow("needs login");
    expect(server.seen).toEqual([]);
  });
});

test("an upstream elsewhere cannot send the gateway to this machine, however it spells that", async () => {
  const server = await authorizationServer();
  const { port } = new URL(server.issuer);
  const ports = { store: new MemoryStore(), timers: systemTimers, logger: new RecordingLogger() };
  const oauth = new UpstreamOAuth({ key: "up", url: "https://mcp.example/mcp", ...ports });
  for (const host of ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "0"]) {
    const challenge = `Bearer resource_metadata="https://${host}:${port}/x"`;
    await expect(oauth.refused({ status: 401, challenge, sent: undefined })).rejects.toThrow("that is not public");
  }
  expect(server.seen).toEqual([]);
});

describe("what is secret", () => {
  test("is in no message and no log line, whatever the servers say", async () => {
    const { server, up, store, proxy } = await attacked({});
    await proxy.connect();
    const { proxy: alone, logger } = oauthTo(up, { store });
    await alone.connect();
    server.expire(true);
    const { error } = await called(alone);
    const said = `${String(error)} ${String(error?.cause)} ${JSON.stringify(logger.lines)}`;
    expect(error?.message).toContain("needs login");
    expect(said).not.toMatch(/canary|access-\d|refresh-\d/);
  });

  test("a renewal that cannot be stored is used all the same, said in the log, and lost with the process", async () => {
    const { server, up, store, proxy, logger } = await attacked({});
    await proxy.connect();
    const before = store.kept;
    server.expire();
    store.failing = true;
    expect((await called(proxy)).status).toBe(200);
    server.expire();
    expect((await called(proxy)).status).toBe(200);
    expect(logger.lines.map(({ message }) => message)).toContain("An authorization could not be stored");
    // The process that comes after a crash has the tokens of before, which the server does not renew again.
    store.failing = false;
    expect(store.kept).toBe(before);
    const next = oauthTo(up, { store });
    server.expire();
    await expect(next.proxy.connect()).rejects.toThrow("needs login");
    expect(store.kept?.credentials[0]?.tokens).toBeUndefined();
  });
});
