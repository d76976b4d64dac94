import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { Client as LegacySdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacySdkHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { modernPost } from "./support/modern-post.js";
import { startTestGateway, type TestGateway } from "./support/test-gateway.js";

// R22: `x-mcp-header` (2026-07-28, Streamable HTTP, Custom Headers from Tool Parameters; T9–T15).

const BROKEN = ["empty", "items", "line-break", "number", "object", "space", "twice"];

/** The fixture, with tools whose annotations break the rules, as each kind of upstream. */
const UPSTREAMS: Readonly<Record<string, () => Promise<ServerInfo>>> = {
  "modern HTTP": async () => overHttp("modern"),
  "legacy HTTP": async () => overHttp("legacy"),
  "modern stdio": async () => overStdio("modern"),
  "legacy stdio": async () => overStdio("legacy"),
};

async function overHttp(era: "modern" | "legacy"): Promise<ServerInfo> {
  const server = await startFixtureHttp({ era, invalidHeaders: true });
  onTestFinished(async () => server.close());
  return { name: "up", transport: "http", endpoint: server.url };
}

async function overStdio(era: "modern" | "legacy"): Promise<ServerInfo> {
  const args = [stdioMainPath, "--era", era, "--invalid-headers"];
  return Promise.resolve({ name: "up", command: process.execPath, args });
}

async function gatewayOver(upstream: string) {
  const start = UPSTREAMS[upstream];
  if (start === undefined) throw new Error(`there is no ${upstream}`);
  const logger = new RecordingLogger();
  const gateway = await startTestGateway([await start()], { logger });
  onTestFinished(async () => gateway.close());
  return { gateway, logger };
}

async function legacyClient({ url }: TestGateway): Promise<LegacySdkClient> {
  const client = new LegacySdkClient({ name: "mirror-test", version: "1.0.0" });
  const transport = new LegacySdkHttp(new URL(url));
  await client.connect(transport);
  onTestFinished(async () => {
    await transport.terminateSession();
    await client.close();
  });
  return client;
}

const call = async ({ url }: TestGateway, name: string, args: object, headers: Record<string, string> = {}) =>
  modernPost(url, "tools/call", { name, arguments: args }, { headers });

const broken = async ({ url }: TestGateway) => {
  const { message } = await modernPost(url, "tools/list", {});
  const { tools } = message["result"] as { tools: { name: string; inputSchema: object }[] };
  return tools.filter(({ name }) => name.startsWith("up__invalid-header-"));
};

describe("a tool whose annotations break the rules (T15)", () => {
  test("of a modern HTTP upstream is left out for every client, with one warning, and named in the status", async () => {
    const { gateway, logger } = await gatewayOver("modern HTTP");
    expect(await broken(gateway)).toEqual([]);
    expect(gateway.gateway.tools().length).toBeGreaterThan(5);
    const [{ leftOut = [] } = {}] = gateway.gateway.status().connectors;
    const named = leftOut.map((entry) => /^invalid-header-([\w-]+) \(.+\)$/.exec(entry)?.[1] ?? entry);
    expect(named.toSorted()).toEqual(BROKEN);
    const legacy = await legacyClient(gateway);
    // Another list: nothing is said a second time.
    await legacy.callTool({ name: "up__toggle", arguments: { name: "more", present: true } });
    await expect.poll(() => gateway.gateway.tools().map(({ tool }) => tool)).toContain("more");
    const warnings = logger.lines.filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([
      {
        fields: { connectorId: "up", list: "tools", count: BROKEN.length, entries: leftOut },
        message: "Entries that break the specification were left out of a list",
      },
    ]);
  });

  test("of a modern HTTP upstream cannot be called either", async () => {
    const { gateway } = await gatewayOver("modern HTTP");
    expect(await call(gateway, "up__invalid-header-number", { a: 1 })).toMatchObject({
      message: { error: { code: -32_602, message: 'Unknown tool: "up__invalid-header-number"' } },
    });
    const legacy = await legacyClient(gateway);
    await expect(legacy.callTool({ name: "up__invalid-header-items", arguments: {} })).rejects.toMatchObject({
      code: -32_602,
    });
  });

  test.each(["legacy HTTP", "modern stdio", "legacy stdio"])(
    "of a %s upstream stays, without what would have clients leave it out",
    async (upstream) => {
      const { gateway } = await gatewayOver(upstream);
      const tools = await broken(gateway);
      expect(tools.map(({ name }) => name.slice("up__invalid-header-".length)).toSorted()).toEqual(BROKEN);
      expect(JSON.stringify(tools)).not.toContain('x-mcp-header":');
      expect(gateway.gateway.status().connectors[0]).not.toHaveProperty("leftOut");
      const { status, message } = await call(gateway, "up__invalid-header-number", { a: 1.5 });
      expect([status, message["result"]]).toMatchObject([200, { structuredContent: { arguments: { a: 1.5 } } }]);
    },
  );
});

const paramsSeen = (message: Readonly<Record<string, unknown>>): unknown =>
  (message["result"] as { structuredContent: { paramHeaders: unknown } }).structuredContent.paramHeaders;

const encoded = (text: string): string => `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;

describe("parameters that a tool wants mirrored", () => {
  test.each<[string, string]>([
    ["eu-west", "eu-west"],
    ["日本", encoded("日本")],
    [" padded ", encoded(" padded ")],
    ["two\r\nlines: injected", encoded("two\r\nlines: injected")],
    ["=?base64?bGl0ZXJhbA==?=", encoded("=?base64?bGl0ZXJhbA==?=")],
    ["", ""],
  ])("%j of a legacy client are mirrored by the gateway, encoded where they must be (T14)", async (region, header) => {
    const { gateway } = await gatewayOver("modern HTTP");
    const legacy = await legacyClient(gateway);
    const placement = { shard: -7, spare: false };
    const result = await legacy.callTool({ name: "up__whoami", arguments: { region, placement } });
    expect(paramsSeen({ result })).toEqual({
      "mcp-param-region": header,
      "mcp-param-shard": "-7",
      "mcp-param-spare": "false",
    });
    const none = await legacy.callTool({ name: "up__whoami", arguments: { region: null } });
    expect(paramsSeen({ result: none })).toEqual({});
  });

  test("those of a modern client go on as they came, with headers that nobody knows (T11)", async () => {
    const { gateway } = await gatewayOver("modern HTTP");
    const headers = { "mcp-param-shard": "42.0", "Mcp-Param-Unheard-Of": "=?base64?%%%" };
    const { status, message } = await call(gateway, "up__whoami", { placement: { shard: 42 } }, headers);
    expect(status).toBe(200);
    expect(paramsSeen(message)).toEqual({ "mcp-param-shard": "42.0", "mcp-param-unheard-of": "=?base64?%%%" });
  });

  describe.each(Object.keys(UPSTREAMS))("in front of %s", (upstream) => {
    test("headers of a modern client must say what the body says (T10)", async () => {
      const { gateway } = await gatewayOver(upstream);
      const args = { region: "eu", placement: { shard: 42 } };
      const good = { "mcp-param-region": encoded("eu"), "mcp-param-shard": "42.0", "mcp-param-unheard-of": "x" };
      expect((await call(gateway, "up__whoami", args, good)).status).toBe(200);
      for (const headers of [
        {},
        { ...good, "mcp-param-region": "us" },
        { ...good, "mcp-param-shard": "43" },
        { ...good, "mcp-param-region": "=?base64?ZXU?=" },
        { ...good, "mcp-param-region": "é" },
        { ...good, "mcp-param-spare": "true" },
      ]) {
        const { status, message } = await call(gateway, "up__whoami", args, headers);
        expect([status, message["error"]], JSON.stringify(headers)).toMatchObject([400, { code: -32_020 }]);
      }
    });
  });
});
