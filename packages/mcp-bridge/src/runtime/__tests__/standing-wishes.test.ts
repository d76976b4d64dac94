import { stdioMainPath } from "@cortex-os/fixture-server";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, specFor, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import {
  DISCOVERED,
  failure,
  json,
  legacy,
  modern,
  result,
  upstream,
  type Script,
} from "../../http/__tests__/scripted-upstream.js";
import { Streams } from "../../http/__tests__/streams.js";
import type { RemoteProxyOptions } from "../remote-proxy-options.js";
import { proxyTo } from "./proxy-to.js";

const SUBSCRIBABLE = { tools: {}, resources: { subscribe: true }, logging: {} };
const updated = (uri: string): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  params: { uri },
});
const agrees: Script = (seen, res) => json(res, 200, result(seen, {}));

/** A proxy that hears what it is told. */
function hearing(url: string, options: Partial<RemoteProxyOptions> & { time?: ManualTime } = {}) {
  const told: [JsonRpcNotification, string?][] = [];
  const onNotification = (notification: JsonRpcNotification): number => told.push([notification]);
  return { ...proxyTo(url, { onNotification, ...options }), told };
}

describe("what a proxy is asked for good (R8, R22)", () => {
  test("is asked of an upstream once it is there, and of each one after it; what was missed counts as changed", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(legacy(agrees, { capabilities: SUBSCRIBABLE, get: streams.accept }));
    const { proxy, told } = hearing(server.url, { time });
    proxy.setLogLevel("info");
    await proxy.subscribe("a:1");
    await proxy.subscribe("b:1");
    await proxy.unsubscribe("b:1");
    expect(server.seen).toEqual([]);
    await proxy.connect();
    await vi.waitFor(() => expect(told).toEqual([[updated("a:1")]]));
    expect(server.of("resources/subscribe")[0]?.message["params"]).toEqual({ uri: "a:1" });
    expect(server.of("logging/setLevel")[0]?.message["params"]).toEqual({ level: "info" });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    await server.stop();
    await vi.waitFor(() => expect(time.pending).toBe(1));
    await time.advance(1_000);
    await vi.waitFor(() => expect(proxy.state.kind).toBe("down"));
    await proxy.subscribe("c:1");
    await server.start();
    await time.advance(1_000);
    await vi.waitFor(() => expect(told.slice(1)).toEqual([[updated("a:1")], [updated("c:1")]]));
    expect(server.of("logging/setLevel")).toHaveLength(2);
  });

  test("is told and taken back while it is up; what is refused is not remembered", async () => {
    let refuses = true;
    const server = await upstream(
      legacy((seen, res) => (refuses ? json(res, 200, failure(seen, -32_002, "no")) : agrees(seen, res)), {
        capabilities: SUBSCRIBABLE,
      }),
    );
    const { proxy, told } = hearing(server.url);
    await proxy.connect();
    await expect(proxy.subscribe("a:1")).rejects.toMatchObject({ data: { upstreamCode: -32_002 } });
    await proxy.unsubscribe("a:1");
    refuses = false;
    await proxy.subscribe("b:1");
    await proxy.unsubscribe("b:1");
    proxy.setLogLevel("error");
    await vi.waitFor(() => expect(server.of("logging/setLevel")).toHaveLength(1));
    expect(server.of("resources/unsubscribe").map(({ message }) => message["params"])).toEqual([{ uri: "b:1" }]);
    expect(told).toEqual([]);
  });

  test("a subscription that is under way when the upstream goes is remembered", async () => {
    const time = new ManualTime();
    let hangs = true;
    const server = await upstream(
      legacy((seen, res) => (hangs && seen.method === "resources/subscribe" ? undefined : agrees(seen, res)), {
        capabilities: SUBSCRIBABLE,
      }),
    );
    const { proxy, told } = hearing(server.url, { time });
    await proxy.connect();
    const subscribed = proxy.subscribe("a:1");
    await vi.waitFor(() => expect(server.of("resources/subscribe")).toHaveLength(1));
    hangs = false;
    await server.stop();
    const sink = new RecordingSink();
    proxy.send(toolCall(LEGACY_CALLER), sink);
    await sink.done;
    expect(proxy.state.kind).toBe("down");
    await subscribed;
    await server.start();
    await time.advance(1_000);
    await vi.waitFor(() => expect(told).toEqual([[updated("a:1")]]));
  });

  test("one that the upstream refuses after it was away is warned of, and asked for again the next time", async () => {
    const server = await upstream(
      legacy((seen, res) => json(res, 200, failure(seen, -32_002, "gone")), { capabilities: SUBSCRIBABLE }),
    );
    const { proxy, logger, told } = hearing(server.url);
    await proxy.subscribe("a:1");
    await proxy.connect();
    await vi.waitFor(() =>
      expect(logger.messages("warn")).toEqual(["A subscription to a resource could not be renewed"]),
    );
    expect(told).toEqual([]);
  });

  test("a listener that throws harms nobody", async () => {
    const server = await upstream(
      legacy(agrees, {
        capabilities: SUBSCRIBABLE,
        get: (_, res) =>
          void res
            .writeHead(200, { "content-type": "text/event-stream" })
            .end(`data: ${JSON.stringify(updated("a:1"))}\n\n`),
      }),
    );
    const { proxy, logger } = hearing(server.url, {
      onNotification: () => {
        throw new Error("listener");
      },
    });
    await proxy.connect();
    await vi.waitFor(() => expect(logger.messages("error")).toContain("A listener of the connector failed"));
    expect(proxy.state.kind).toBe("up");
  });

  test("a connector that cannot be used only remembers", async () => {
    const { proxy } = hearing("http://x", {
      spec: { ...specFor("http://x"), transport: { kind: "unsupported", reason: "ws" } },
    });
    proxy.setLogLevel("debug");
    await proxy.subscribe("a:1");
    await expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await proxy.unsubscribe("a:1");
    expect(proxy.hearsChanges).toBe(false);
  });
});

describe("what is known from an earlier life (warm start)", () => {
  const REGION = {
    name: "echo",
    inputSchema: { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" } } },
  };

  test("calls mirror what the tools asked for then, until they are listed again", async () => {
    const server = await upstream(
      modern((seen, res) => {
        const value =
          seen.method === "tools/list"
            ? { tools: [{ name: "echo", inputSchema: { type: "object" } }] }
            : { content: [] };
        json(res, 200, result(seen, { resultType: "complete", ...value }));
      }, DISCOVERED),
    );
    const known = [
      REGION,
      { name: "broken", inputSchema: { "x-mcp-header": "X" } },
      { name: "" },
      { name: "plain", inputSchema: {} },
    ];
    const { proxy } = hearing(server.url, { known });
    await proxy.callTool("echo", { region: "eu" });
    const sink = new RecordingSink();
    const call = toolCall(LEGACY_CALLER);
    proxy.send({ ...call, params: { name: "echo", arguments: { region: "us" } } }, sink);
    await sink.done;
    await proxy.list("tools");
    await proxy.callTool("echo", { region: "eu" });
    expect(server.of("tools/call").map(({ headers }) => headers["mcp-param-region"])).toEqual(["eu", "us", undefined]);
  });

  test("nothing of it matters over stdio", async () => {
    const transport = { kind: "stdio", command: process.execPath, args: [stdioMainPath], env: {} } as const;
    const { proxy } = hearing("http://x", { known: [REGION], spec: { ...specFor("http://x"), transport } });
    expect(await proxy.callTool("echo", { text: "hi" })).toMatchObject({ content: [{ type: "text" }] });
  });
});
