import { DEFAULT_TIMEOUTS, LONGEST_DELAY_MS, specFingerprint, type ConnectorSpec } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { PublishedConnector } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import { specsOfMap, type MapPolicy } from "../map-policy.js";
import { entryOf, payloadOf } from "./map-payload.js";

const MAP_ORIGIN = "https://maps.example";
const KEY = "s3cret-key";

/** What one entry becomes, under the gateway's rules unless the policy says otherwise. */
function specOf(entry: Partial<PublishedConnector>, policy: Partial<MapPolicy> = {}) {
  const logger = new RecordingLogger();
  const rules = { mapOrigin: MAP_ORIGIN, origins: {}, connectorsApiKey: KEY, logger, ...policy };
  const [spec, ...more] = specsOfMap(payloadOf([entryOf("a", entry)]), rules);
  if (spec === undefined || more.length > 0) throw new Error("one entry is one spec");
  return { spec, logger };
}

const reasonOf = ({ transport }: ConnectorSpec): string | undefined =>
  transport.kind === "unsupported" ? transport.reason : undefined;

const headersOf = ({ transport }: ConnectorSpec): unknown =>
  transport.kind === "http" ? transport.headers : transport.kind;

const AT_MAP = { endpoint: `${MAP_ORIGIN}/mcp` };

describe("the connectors of a service map", () => {
  test("become specs: key, version, source; reached at public addresses only", () => {
    const { spec } = specOf({ version: "2.1.0" });
    expect(spec).toEqual({
      key: "a",
      source: "map",
      version: "2.1.0",
      transport: { kind: "http", url: "https://a.example/mcp", headers: {}, publicOnly: true },
      disabled: false,
      timeouts: DEFAULT_TIMEOUTS,
      isolation: "shared",
    });
  });

  test("are disabled in either spelling", () => {
    expect(specOf({ status: "disabled" }).spec.disabled).toBe(true);
    expect(specOf({ enabled: false }).spec.disabled).toBe(true);
    expect(specOf({ enabled: true }).spec.disabled).toBe(false);
  });

  test.each<[NonNullable<PublishedConnector["timeouts"]>, object]>([
    [
      { connectMs: 700, requestMs: 900 },
      { connectMs: 700, callMs: 900 },
    ],
    [{ requestMs: 7_200_000 }, { callMs: 7_200_000, callMaxMs: 7_200_000 }],
    [
      { connectMs: 2 ** 40, requestMs: 2 ** 40 },
      { connectMs: LONGEST_DELAY_MS, callMs: LONGEST_DELAY_MS, callMaxMs: LONGEST_DELAY_MS },
    ],
    [{ connectMs: 0, requestMs: Number.NaN }, {}],
  ])("R9: time-outs %j are the connector's own", (timeouts, expected) => {
    expect(specOf({ timeouts }).spec.timeouts).toMatchObject({ ...DEFAULT_TIMEOUTS, ...expected });
  });

  test.each<[string, Partial<PublishedConnector>]>([
    ["endpoint", { endpoint: "https://b.example/mcp" }],
    ["version", { version: "2.0.0" }],
    ["headers", { headers: { "x-team": "red" } }],
    ["time-outs", { timeouts: { requestMs: 5 } }],
    ["status", { status: "disabled" }],
    ["auth", { ...AT_MAP, auth: { type: "bearer" } }],
  ])("R6: another %s is another connector", (_, change) => {
    expect(specFingerprint(specOf(change).spec)).not.toBe(specFingerprint(specOf({}).spec));
  });

  test("R6: what changes nothing about the connection leaves it alone", () => {
    const change = { ttlSeconds: 60, description: "new words", tags: ["x"], name: "B", remoteTools: [], scopes: ["y"] };
    expect(specFingerprint(specOf(change).spec)).toBe(specFingerprint(specOf({}).spec));
  });

  test("decision 10: nothing of a map becomes a command, an argument or a path", () => {
    const spelled = { command: "rm", args: ["-rf"], env: { A: "1" }, cwd: "/", transport: "stdio", publicOnly: false };
    expect(specOf(spelled).spec).toEqual(specOf({}).spec);
  });

  test.each(["file:///etc/passwd", "ws://a.example", "javascript:alert(1)", "unix:/run/x.sock", "a.example", ""])(
    "the endpoint %j is none",
    (endpoint) => {
      expect(reasonOf(specOf({ endpoint }).spec)).toContain("not an http or https URL");
      expect(reasonOf(specOf({ endpoint }, { origins: undefined }).spec)).toContain("not an http or https URL");
    },
  );
});

describe("the credential of the map's connectors (R8; reliability.md, threats 7 and 8)", () => {
  const bearer = { Authorization: `Bearer ${KEY}` };

  test.each<[PublishedConnector["auth"], unknown]>([
    [{ type: "none" }, {}],
    [{ type: "none", headerName: "X-Key" }, {}],
    [{ type: "bearer" }, bearer],
    [{ type: "apiKey" }, bearer],
    [{ type: "apiKey", headerName: "authorization" }, { authorization: `Bearer ${KEY}` }],
    [{ type: "apiKey", headerName: "X-Api-Key" }, { "X-Api-Key": KEY }],
  ])("%j sends %j", (auth, headers) => {
    expect(headersOf(specOf({ ...AT_MAP, auth }).spec)).toEqual(headers);
  });

  test("goes to the map's own origin by default, and to no other", () => {
    for (const endpoint of [
      "https://other.example/mcp",
      "https://maps.example:8443/mcp",
      "https://maps.example.evil.example/",
      "https://maps.example@evil.example/",
    ]) {
      const { spec, logger } = specOf({ endpoint, auth: { type: "bearer" } });
      expect(spec.transport.kind).toBe("unsupported");
      expect(JSON.stringify([spec, logger.lines])).not.toContain(KEY);
    }
    const { spec } = specOf({ endpoint: "https://other.example/mcp", auth: { type: "bearer" } });
    expect(reasonOf(spec)).toBe(
      "its origin https://other.example may not get CONNECTORS_API_KEY; add it to serviceMap.credentialOrigins if it may",
    );
  });

  test("goes where local configuration says, and then only there", () => {
    const origins = { credentialOrigins: ["https://other.example/", "nonsense"] };
    const auth = { type: "bearer" } as const;
    expect(headersOf(specOf({ endpoint: "https://other.example/mcp", auth }, { origins }).spec)).toEqual(bearer);
    expect(reasonOf(specOf({ ...AT_MAP, auth }, { origins }).spec)).toContain("serviceMap.credentialOrigins");
  });

  test.each([undefined, ""])("that is not there (%j) is told, with what to do", (connectorsApiKey) => {
    const { spec } = specOf({ ...AT_MAP, auth: { type: "apiKey" } }, { connectorsApiKey });
    expect(reasonOf(spec)).toBe("it needs a credential, and CONNECTORS_API_KEY is not set; set it for the gateway");
    expect(specOf(AT_MAP, { connectorsApiKey }).spec.transport.kind).toBe("http");
  });

  test.each(["Host", "Cookie", "mcp-session-id", "Mcp-Method", "Connection", "Content-Type", "accept", "no token", ""])(
    "may not travel as %j",
    (headerName) => {
      const { spec } = specOf({ ...AT_MAP, auth: { type: "apiKey", headerName } });
      expect(reasonOf(spec)).toContain("auth.headerName");
      expect(JSON.stringify(spec)).not.toContain(KEY);
    },
  );

  test("wins over a header of the map of its name, however spelled", () => {
    const headers = { "x-api-key": "theirs", AUTHORIZATION: "kept", "X-Team": "red" };
    const auth = { type: "apiKey", headerName: "X-Api-Key" } as const;
    expect(headersOf(specOf({ ...AT_MAP, auth, headers }).spec)).toEqual({
      AUTHORIZATION: "kept",
      "X-Team": "red",
      "X-Api-Key": KEY,
    });
  });
});

describe("the headers of the map's connectors (design.md, contracts)", () => {
  test("that belong to others are left out, with a warning that names connector and header and shows no value", () => {
    const refused = {
      Host: "s3cret",
      "Mcp-Session-Id": "s3cret",
      "mcp-protocol-version": "s3cret",
      "MCP-Param-X": "s3cret",
      Cookie: "s3cret",
      Connection: "s3cret",
      "Transfer-Encoding": "s3cret",
      TE: "s3cret",
      Upgrade: "s3cret",
      "Proxy-Authorization": "s3cret",
      "Content-Length": "s3cret",
      "Content-Encoding": "s3cret",
      Accept: "s3cret",
      "Accept-Encoding": "s3cret",
      "Last-Event-ID": "s3cret",
      Expect: "s3cret",
    };
    const { spec, logger } = specOf({ headers: { ...refused, "X-Team": "red" } });
    expect(headersOf(spec)).toEqual({ "X-Team": "red" });
    expect(logger.lines).toEqual([
      {
        level: "warn",
        fields: { connectorId: "a", headers: Object.keys(refused) },
        message: "Headers that a service map may not set were left out",
      },
    ]);
  });

  test("cannot reach a prototype", () => {
    const headers = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
    expect(headersOf(specOf({ headers }).spec)).toEqual({ constructor: "y" });
  });
});

test("without origins, as the plan's class has it, the key and the connection go anywhere", () => {
  const { spec } = specOf({ endpoint: "http://127.0.0.1:9/mcp", auth: { type: "bearer" } }, { origins: undefined });
  expect(spec.transport).toEqual({
    kind: "http",
    url: "http://127.0.0.1:9/mcp",
    headers: { Authorization: `Bearer ${KEY}` },
  });
});
