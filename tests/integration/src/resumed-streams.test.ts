import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { cuttingProxy, type CuttingProxy } from "./support/cutting-proxy.js";
import { startGateway } from "./support/gateway-process.js";
import { programHome } from "./support/program-home.js";
import { connectLegacyClient, type RealClient } from "./support/real-clients.js";

const STEPS = 12;
const NUMBERS = Array.from({ length: STEPS }, (_, at) => at + 1);

const OVER_STDIO = async (): Promise<ServerInfo> =>
  Promise.resolve({ name: "up", command: process.execPath, args: [stdioMainPath] });

const over = (era: "legacy" | "modern") => async (): Promise<ServerInfo> => {
  const fixture = await startFixtureHttp({ era });
  onTestFinished(async () => fixture.close());
  return { name: "up", type: "http", endpoint: fixture.url };
};

const UPSTREAMS = { stdio: OVER_STDIO, "legacy HTTP": over("legacy"), "modern HTTP": over("modern") };

/** The built program in front of `upstream`, a poor line in front of that, and a client of the v1 SDK. */
async function connected(
  upstream: () => Promise<ServerInfo>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ client: RealClient; proxy: CuttingProxy; url: string }> {
  const home = await programHome();
  await home.writeRegistry([await upstream()]);
  const gateway = await startGateway(home, { env });
  await vi.waitFor(async () => expect(await gateway.states()).toEqual({ up: "up" }));
  const proxy = await cuttingProxy(gateway.url);
  const client = await connectLegacyClient(proxy.url);
  onTestFinished(async () => client.close());
  return { client, proxy, url: gateway.url };
}

/** A call that takes for ever, by a client that only knows how to go. */
async function callSlowly(url: string, signal: AbortSignal): Promise<Response> {
  const post = async (headers: Record<string, string>, message: object): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }),
      signal,
    });
  const revision = "2025-11-25";
  const clientInfo = { name: "test", version: "1" };
  const params = { protocolVersion: revision, capabilities: {}, clientInfo };
  const opened = await post({}, { method: "initialize", params });
  const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "", "mcp-protocol-version": revision };
  const args = { ms: 600_000, steps: 6_000 };
  return post(headers, {
    method: "tools/call",
    params: { name: "up__slow", arguments: args, _meta: { progressToken: 1 } },
  });
}

const resumptions = ({ sent }: CuttingProxy): number => [...sent.matchAll(/^last-event-id: \S+\r$/gim)].length;

describe.each(Object.entries(UPSTREAMS))("a client of the v1 SDK in front of %s (R22)", (_name, upstream) => {
  test("whose connections are cut in the middle of a call hears each step once, and the result", async () => {
    const { client, proxy } = await connected(upstream);
    const heard: number[] = [];
    const result = await client.call(
      "up__slow",
      { ms: 4_000, steps: STEPS },
      {
        onProgress: (progress) => {
          heard.push(progress);
          if (progress === 2 || progress === 7) proxy.cut();
        },
      },
    );
    expect(result).toMatchObject({ text: `took 4000 ms in ${STEPS} steps`, isError: false });
    expect(heard).toEqual(NUMBERS);
    expect(resumptions(proxy)).toBeGreaterThanOrEqual(2);
    const counted = await client.call("up__cancelled", {});
    expect(counted.structured).toMatchObject({ cancelled: 0 });
  });

  test("comes back for its answer when the gateway ends its connections after a while (SEP-1699)", async () => {
    const { client, proxy } = await connected(upstream, { CORTEX_MCP_STREAMS_MAX_CONNECTION_MS: "300" });
    const heard: number[] = [];
    const result = await client.call(
      "up__slow",
      { ms: 2_000, steps: STEPS },
      { onProgress: (step) => heard.push(step) },
    );
    expect(result.text).toBe(`took 2000 ms in ${STEPS} steps`);
    expect(heard).toEqual(NUMBERS);
    expect(resumptions(proxy)).toBeGreaterThanOrEqual(1);
  });

  test("that does not come back in time has cancelled", async () => {
    const { client, url } = await connected(upstream, { CORTEX_MCP_STREAMS_KEEP_MS: "200" });
    const leaving = new AbortController();
    const { body } = await callSlowly(url, leaving.signal);
    const reader = body?.getReader();
    // More than the event that primes it: the call is under way.
    for (let text = ""; !text.includes("progress");) text += new TextDecoder().decode((await reader?.read())?.value);
    leaving.abort();
    await vi.waitFor(async () => {
      const { structured } = await client.call("up__cancelled", {});
      expect(structured).toMatchObject({ cancelled: 1 });
    });
  });
});
