import { describe, expect, test } from "vitest";
import { DEFAULT_TIMEOUTS } from "../connector-spec.js";
import { connectorSpecOf, ServerInfoSchema, transportOf, type ServerInfo } from "../server-info.js";

const parse = (entry: unknown): ServerInfo => ServerInfoSchema.parse(entry);

/** `path: message` of each issue, as a person is shown them. */
function refusalOf(entry: unknown): string[] {
  const { error } = ServerInfoSchema.safeParse(entry);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("ServerInfoSchema (R13)", () => {
  test.each([
    [{ name: "a", command: "npx" }, "stdio"],
    [{ name: "a", command: "npx", endpoint: "https://x.test" }, "stdio"],
    [{ name: "a", endpoint: "https://x.test" }, "http"],
    [{ name: "a", transport: "streamableHttp", endpoint: "http://x.test", command: "npx" }, "streamableHttp"],
    [{ name: "a", transport: "sse", endpoint: "http://x.test/sse" }, "sse"],
    [{ name: "a", transport: "ws", endpoint: "ws://x.test" }, "ws"],
    [{ name: "a", transport: "ws", endpoint: "wss://x.test" }, "ws"],
  ])("takes %j for %s", (entry, transport) => {
    expect(transportOf(parse(entry))).toBe(transport);
  });

  test("keeps every field, also those it does not know, and adds none", () => {
    const entry = {
      name: "a",
      transport: "stdio",
      command: "npx",
      args: ["-y", "x"],
      env: { A: "1" },
      cwd: "/srv",
      disabled: true,
      timeouts: { callMs: 5 },
      isolation: "session",
      future: { nested: [1, null] },
      constructor: "odd",
    };
    expect(parse(entry)).toStrictEqual(entry);
    expect(parse({ name: "a", command: "x" })).toStrictEqual({ name: "a", command: "x" });
  });

  test.each([
    [{}, ["name: Invalid input: expected string, received undefined"]],
    [{ name: 5, command: "x" }, ["name: Invalid input: expected string, received number"]],
    [{ name: "a b", command: "x" }, ["name: a name is 1 to 32 letters, digits, '_' or '-'"]],
    [{ name: "../x", command: "x" }, ["name: a name is 1 to 32 letters, digits, '_' or '-'"]],
    [{ name: "a", command: "" }, ["command: Too small: expected string to have >=1 characters"]],
    [{ name: "a", command: ["npx"] }, ["command: Invalid input: expected string, received array"]],
    [{ name: "a", transport: "stdio" }, ["command: a stdio server needs a command"]],
    [{ name: "a", command: "x", args: "-y" }, ["args: Invalid input: expected array, received string"]],
    [{ name: "a", command: "x", args: ["-y", 1] }, ["args.1: Invalid input: expected string, received number"]],
    [{ name: "a", command: "x", env: { PORT: 1 } }, ["env.PORT: Invalid input: expected string, received number"]],
    [{ name: "a", command: "x", cwd: "" }, ["cwd: Too small: expected string to have >=1 characters"]],
    [{ name: "a", command: "x", disabled: "no" }, ["disabled: Invalid input: expected boolean, received string"]],
    [
      { name: "a", command: "x", transport: "pipe" },
      ['transport: Invalid option: expected one of "stdio"|"http"|"streamableHttp"|"sse"|"ws"'],
    ],
    [
      { name: "a", command: "x", children: { start: "lazy" } },
      ['children.start: Invalid option: expected one of "eager"|"onDemand"'],
    ],
    [
      { name: "a", command: "x", isolation: "none" },
      ['isolation: Invalid option: expected one of "shared"|"principal"|"session"'],
    ],
    [{ name: "a", command: "x", timeouts: { callMs: 0 } }, ["timeouts.callMs: Too small: expected number to be >0"]],
    [
      { name: "a", command: "x", timeouts: { callMs: 2 ** 31 } },
      ["timeouts.callMs: Too big: expected number to be <=2147483647"],
    ],
    [{ name: "a", command: "x", timeouts: { callms: 1 } }, ['timeouts: Unrecognized key: "callms"']],
    [{ name: "a" }, ["endpoint: a server needs a command, or an endpoint that is an http or https URL"]],
    [
      { name: "a", endpoint: "nonsense" },
      ["endpoint: a server of transport http needs an endpoint that is an http or https URL"],
    ],
    [
      { name: "a", endpoint: "file:///etc/passwd" },
      ["endpoint: a server of transport http needs an endpoint that is an http or https URL"],
    ],
    [
      { name: "a", transport: "sse", endpoint: "ws://x.test" },
      ["endpoint: a server of transport sse needs an endpoint that is an http or https URL"],
    ],
    [
      { name: "a", transport: "ws", endpoint: "http://x.test" },
      ["endpoint: a server of transport ws needs an endpoint that is a ws or wss URL"],
    ],
    [
      { name: "a", endpoint: "http://x.test", headers: { A: null } },
      ["headers.A: Invalid input: expected string, received null"],
    ],
    [[], [": Invalid input: expected object, received array"]],
    [null, [": Invalid input: expected object, received null"]],
  ])("refuses %j and names the field", (entry, refusal) => {
    expect(refusalOf(entry)).toEqual(refusal);
  });

  test("repeats no value of a refused entry: it could be a secret", () => {
    const secret = "s3cr3t";
    const refusals = [
      { name: secret.repeat(10), command: "x" },
      { name: "a", endpoint: `ftp://u:${secret}@x.test` },
      { name: "a", command: "x", env: { A: [secret] }, headers: { B: { secret } }, transport: secret },
      { name: "a", command: "x", isolation: secret, timeouts: secret, disabled: secret, args: secret },
    ].map(refusalOf);
    for (const refusal of refusals) expect(refusal).not.toEqual([]);
    expect(JSON.stringify(refusals)).not.toContain(secret);
  });

  test("a key called __proto__ is inert in an entry, in env and in headers", () => {
    const text = '{"name":"a","command":"x","__proto__":{"disabled":true,"cwd":"/"},"env":{"__proto__":"x","A":"1"}}';
    const entry = parse(JSON.parse(text));
    expect(Object.keys(entry).toSorted()).toEqual(["command", "env", "name"]);
    expect(Object.getPrototypeOf(entry)).toBe(Object.prototype);
    expect(connectorSpecOf(entry)).toMatchObject({ disabled: false, transport: { kind: "stdio", env: { A: "1" } } });
    expect(Object.keys(entry.env ?? {})).toEqual(["A"]);

    const headers = '{"__proto__":{"Authorization":"x"},"constructor":"y"}';
    const http = connectorSpecOf(parse(JSON.parse(`{"name":"a","endpoint":"http://x.test","headers":${headers}}`)));
    const sent = http.transport.kind === "http" ? http.transport.headers : {};
    expect(Object.entries(sent)).toEqual([["constructor", "y"]]);
    expect(sent["Authorization"]).toBeUndefined();
  });
});

describe("connectorSpecOf", () => {
  test("fills in every default of a stdio entry", () => {
    expect(connectorSpecOf(parse({ name: "a", command: "npx" }))).toStrictEqual({
      key: "a",
      source: "registry",
      transport: { kind: "stdio", command: "npx", args: [], env: {} },
      disabled: false,
      timeouts: DEFAULT_TIMEOUTS,
      isolation: "shared",
    });
  });

  test("hands on all that an entry says", () => {
    const entry = {
      name: "a",
      command: "npx",
      args: ["-y"],
      env: { A: "1" },
      cwd: "/srv",
      disabled: true,
      timeouts: { callMs: 5, startMs: 7 },
      isolation: "principal",
    };
    expect(connectorSpecOf(parse(entry))).toStrictEqual({
      key: "a",
      source: "registry",
      transport: { kind: "stdio", command: "npx", args: ["-y"], env: { A: "1" }, cwd: "/srv" },
      disabled: true,
      timeouts: { ...DEFAULT_TIMEOUTS, callMs: 5, startMs: 7 },
      isolation: "principal",
    });
  });

  test("says how its children live when the entry does, and nothing else: the digest of every other entry stays what it was", () => {
    const childrenOf = (children: object) => connectorSpecOf(parse({ name: "a", command: "x", children })).children;
    expect(childrenOf({ start: "onDemand", idleMs: 0 })).toStrictEqual({ start: "onDemand", idleMs: 0 });
    expect(childrenOf({ idleMs: 60_000 })).toStrictEqual({ idleMs: 60_000 });
    expect(childrenOf({})).toStrictEqual({});
    expect(connectorSpecOf(parse({ name: "a", command: "x" }))).not.toHaveProperty("children");
  });

  test("takes an explicit undefined among the timeouts for none", () => {
    const entry: ServerInfo = { name: "a", command: "x", timeouts: { callMs: undefined, listMs: 9 } };
    expect(connectorSpecOf(entry).timeouts).toStrictEqual({ ...DEFAULT_TIMEOUTS, listMs: 9 });
  });

  test.each(["http", "streamableHttp", undefined] as const)("transport %s is http", (transport) => {
    const entry = { name: "a", transport, endpoint: "https://x.test/mcp", headers: { A: "1" } };
    expect(connectorSpecOf(parse(entry)).transport).toStrictEqual({
      kind: "http",
      url: "https://x.test/mcp",
      headers: { A: "1" },
    });
    expect(connectorSpecOf(parse({ name: "a", endpoint: "https://x.test/mcp" })).transport).toMatchObject({
      headers: {},
    });
  });

  test("sse is HTTP of which it is known that only the old transport is spoken", () => {
    const entry = { name: "a", transport: "sse", endpoint: "https://x.test/sse", headers: { A: "1" } };
    expect(connectorSpecOf(parse(entry)).transport).toStrictEqual({
      kind: "http",
      url: "https://x.test/sse",
      headers: { A: "1" },
      sse: true,
    });
  });

  test.each([["ws", "ws://x.test", "WebSocket servers are not supported; use streamable HTTP or stdio"]])(
    "%s is kept as unsupported, with the reason",
    (transport, endpoint, reason) => {
      expect(connectorSpecOf(parse({ name: "a", transport, endpoint })).transport).toEqual({
        kind: "unsupported",
        reason,
      });
    },
  );

  test.each([
    [
      { name: "a", transport: "stdio" },
      { kind: "stdio", command: "", args: [], env: {} },
    ],
    [
      { name: "a", transport: "http" },
      { kind: "http", url: "", headers: {} },
    ],
  ] as const)("does not throw for an entry the schema never saw: %j", (entry, transport) => {
    expect(connectorSpecOf(entry).transport).toEqual(transport);
  });
});

describe("how a server is authorised by OAuth", () => {
  const oauthOf = (oauth: unknown): unknown => {
    const { transport } = connectorSpecOf(parse({ name: "a", endpoint: "https://x.test", oauth }));
    return transport.kind === "http" ? transport.oauth : "no HTTP";
  };

  test("is taken with what other clients write there, and unknown words are kept", () => {
    const oauth = { enabled: true, clientId: "c", callbackPort: 80, scopes: "a  b", future: 1 };
    expect(parse({ name: "a", endpoint: "https://x.test", oauth }).oauth).toStrictEqual(oauth);
    expect(oauthOf(oauth)).toStrictEqual({ clientId: "c", callbackPort: 80, scopes: ["a", "b"] });
    expect(oauthOf({ scopes: ["a b", "c"] })).toStrictEqual({ scopes: ["a b", "c"] });
    const rest = {
      ...{ grant: "client_credentials", clientSecretEnv: "S", clientSecretFile: "/s" },
      ...{ issuer: "https://i.test", clientMetadataUrl: "https://c.test/x.json" },
    };
    expect(oauthOf(rest)).toStrictEqual(rest);
    expect(oauthOf(undefined)).toBeUndefined();
    expect(oauthOf({ enabled: false, clientId: "c" })).toBe(false);
  });

  test.each([
    [{ clientSecret: "hidden" }, "oauth.clientSecret: a secret does not belong here"],
    [{ callbackPort: "80" }, "oauth.callbackPort: "],
    [{ issuer: "file:///x" }, "oauth.issuer: "],
    [{ clientMetadataUrl: "http://x.test/c" }, "oauth.clientMetadataUrl: "],
    [true, "oauth: "],
  ])("is refused as %j, without its values", (oauth, issue) => {
    const [told = ""] = refusalOf({ name: "a", endpoint: "https://x.test", oauth });
    expect(told).toContain(issue);
    expect(told).not.toContain("hidden");
  });
});
