import { fileURLToPath } from "node:url";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ServedEra } from "../http/start-fixture-http.js";
import { useFixtureHttp } from "./support.js";

const start = useFixtureHttp();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The same steps with either client: their types differ, what they do here does not. */
interface AnyClient {
  readonly era: string | undefined;
  listNames(): Promise<string[]>;
  call(
    name: string,
    args: Record<string, unknown>,
    options?: { onprogress?: (progress: { progress: number }) => void; signal?: AbortSignal },
  ): Promise<Record<string, unknown>>;
  onToolsChanged(listener: () => void): Promise<void>;
}

const stdio = (era: ServedEra): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [fileURLToPath(new URL("../../dist/stdio-main.js", import.meta.url)), "--era", era],
});

async function v1(era: ServedEra, transport: "http" | "stdio"): Promise<AnyClient> {
  const client = new ClientV1({ name: "sdk-v1", version: "0" });
  const carrier = transport === "stdio" ? new StdioV1(stdio(era)) : new HttpV1(new URL((await start({ era })).url));
  await client.connect(carrier);
  closing.push(async () => client.close());
  return {
    era: client.getServerVersion() === undefined ? undefined : "legacy",
    listNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
    onToolsChanged: async (listener) => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, listener);
      await Promise.resolve();
    },
  };
}

async function v2(era: ServedEra, transport: "http" | "stdio"): Promise<AnyClient> {
  const client = new ClientV2({ name: "sdk-v2", version: "0" }, { versionNegotiation: { mode: "auto" } });
  const carrier = transport === "stdio" ? new StdioV2(stdio(era)) : new HttpV2(new URL((await start({ era })).url));
  await client.connect(carrier);
  closing.push(async () => client.close());
  return {
    era: client.getProtocolEra(),
    listNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => client.callTool({ name, arguments: args }, options),
    onToolsChanged: async (listener) => {
      client.setNotificationHandler("notifications/tools/list_changed", listener);
      if (client.getProtocolEra() === "modern") await client.listen({ toolsListChanged: true });
    },
  };
}

describe.each([
  ["v1", v1, "legacy", "http", "legacy"],
  ["v1", v1, "both", "http", "legacy"],
  ["v1", v1, "legacy", "stdio", "legacy"],
  ["v1", v1, "both", "stdio", "legacy"],
  ["v2", v2, "legacy", "http", "legacy"],
  ["v2", v2, "modern", "http", "modern"],
  ["v2", v2, "both", "http", "modern"],
  ["v2", v2, "legacy", "stdio", "legacy"],
  ["v2", v2, "modern", "stdio", "modern"],
  ["v2", v2, "both", "stdio", "modern"],
] as const)("the SDK's client %s", (_, connect, served, transport, era) => {
  test(`works with ${served} over ${transport}: connect, list, call, progress, cancel, list_changed (R22)`, async () => {
    const client = await connect(served, transport);
    expect(client.era).toBe(era);
    expect(await client.listNames()).toContain("echo");

    const echoed = await client.call("echo", { message: "ünï" });
    expect(echoed).toMatchObject({ content: [{ type: "text", text: "ünï" }], structuredContent: { message: "ünï" } });
    expect(await client.call("fail", { message: "no" })).toMatchObject({ isError: true });
    const who = await client.call("whoami", { region: "eu", placement: { shard: 7 } });
    expect(who["structuredContent"]).toMatchObject({ era, session: era === "legacy" });
    await expect(client.call("nobody", {})).rejects.toThrow("Unknown tool: nobody");

    const steps: number[] = [];
    await client.call("slow", { ms: 120, steps: 3 }, { onprogress: ({ progress }) => steps.push(progress) });
    // Over stdio either client loses progress that comes in one chunk with the answer: a busy machine may make it so.
    expect(steps).toEqual(transport === "stdio" ? [1, 2, 3].slice(0, Math.max(1, steps.length)) : [1, 2, 3]);

    const aborting = new AbortController();
    const cancelled = client.call("slow", { ms: 600_000 }, { signal: aborting.signal }).catch(() => "cancelled");
    await vi.waitFor(async () => {
      expect((await client.call("cancelled", {}))["structuredContent"]).toMatchObject({ inFlight: 1 });
    });
    aborting.abort();
    expect(await cancelled).toBe("cancelled");
    await vi.waitFor(async () => {
      expect((await client.call("cancelled", {}))["structuredContent"]).toMatchObject({ cancelled: 1, inFlight: 0 });
    });

    const changed = vi.fn<() => void>();
    await client.onToolsChanged(changed);
    await client.call("toggle", { name: "new", present: true });
    await vi.waitFor(() => {
      expect(changed).toHaveBeenCalledOnce();
    });
    expect(await client.listNames()).toContain("new");
  });
});
