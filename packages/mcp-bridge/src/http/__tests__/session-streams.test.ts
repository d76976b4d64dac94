import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { Link } from "../../link.js";
import { LEGACY_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, result, upstream, type Script } from "./scripted-upstream.js";
import { Streams } from "./streams.js";

const LOGS = { tools: {}, logging: {} };
const log = (level: string): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { level, data: 1 },
});
const agrees: Script = (seen, res) => json(res, 200, result(seen, {}));

describe("the stream of a client's own session (R22)", () => {
  const calling = (link: Link, sessionKey: string, id: number) => {
    const sink = new RecordingSink();
    link.send(toolCall({ ...LEGACY_CALLER, sessionKey, logLevel: "info" }, id), sink);
    return sink.done;
  };

  async function streaming(time?: ManualTime) {
    const streams = new Streams();
    const sessions = new Set<string>();
    const get: Script = (seen, res) =>
      seen.headers["mcp-session-id"] === "session-1" ? res.writeHead(405).end() : streams.accept(seen, res);
    const server = await upstream(legacy(agrees, { sessions, capabilities: LOGS, get }));
    const under = await openLink(server.url, time === undefined ? {} : { time });
    return { ...under, server, streams, sessions };
  }

  test("is open before the call that asks for log messages first; what comes there bears the session", async () => {
    const { link, server, streams, told, changed } = await streaming();
    await calling(link, "a", 1);
    await calling(link, "a", 2);
    await calling(link, "b", 3);
    expect(streams.open).toHaveLength(2);
    const sent = server.methods.filter((method) => ["GET", "tools/call"].includes(method));
    expect(sent.slice(-5)).toEqual(["GET", "tools/call", "tools/call", "GET", "tools/call"]);
    const unknown: JsonObject = { jsonrpc: "2.0", method: "notifications/com.example/x" };
    const [a, b] = streams.open;
    a?.send(log("error"));
    a?.send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    a?.send({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "a:1" } });
    a?.send({ jsonrpc: "2.0", id: 9, method: "ping" });
    a?.send(unknown);
    await vi.waitFor(() => expect(told).toHaveLength(2));
    b?.send(log("debug"));
    await vi.waitFor(() => expect(told).toHaveLength(3));
    expect(told).toEqual([
      [log("error"), "a"],
      [unknown, "a"],
      [log("debug"), "b"],
    ]);
    expect(changed).toEqual([]);
    await vi.waitFor(() =>
      expect(server.of("POST")[0]).toMatchObject({
        message: { id: 9, result: {} },
        headers: { "mcp-session-id": "session-2" },
      }),
    );
    link.endSession("a");
    await vi.waitFor(() => expect(server.of("GET")[1]?.aborted).toBe(true));
    expect(server.of("GET")[2]?.aborted).toBe(false);
    await vi.waitFor(() => expect(server.methods).toContain("DELETE"));
  });

  test("moves to the session that takes the place of one that was forgotten", async () => {
    const { link, server, streams, sessions, told } = await streaming();
    await calling(link, "a", 1);
    sessions.clear();
    await calling(link, "a", 2);
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    expect(server.of("GET").at(-1)?.headers["mcp-session-id"]).toBe("session-3");
    streams.last?.send(log("error"));
    await vi.waitFor(() => expect(told).toEqual([[log("error"), "a"]]));
  });

  test("a stream that is not the session's any more does not cost it the session; one that is refused as taken is tried again", async () => {
    const time = new ManualTime();
    const { link, server, streams } = await streaming(time);
    await calling(link, "a", 1);
    const { script } = server;
    server.script = (seen, res) => (seen.http === "GET" ? void res.writeHead(409).end() : script(seen, res));
    streams.last?.res.end();
    await vi.waitFor(() => expect(time.delays).toEqual([20]));
    await time.advance(20);
    await vi.waitFor(() => expect(time.delays).toEqual([40]));
    server.script = script;
    await time.advance(40);
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    expect(server.of("GET").at(-1)?.headers["mcp-session-id"]).toBe("session-2");
  });

  test("one that never opens is waited for two seconds; closing leaves nothing behind", async () => {
    const time = new ManualTime();
    const server = await upstream(legacy(agrees, { sessions: new Set(), capabilities: LOGS, get: () => {} }));
    const { link, close } = await openLink(server.url, { time });
    const first = calling(link, "a", 1);
    await vi.waitFor(() => expect(server.of("GET")).toHaveLength(2));
    await vi.waitFor(() => expect(server.of("logging/setLevel")).toHaveLength(1));
    await time.advance(2_000);
    expect((await first).endings).toEqual(["end"]);
    const second = calling(link, "b", 2);
    await vi.waitFor(() => expect(server.of("GET")).toHaveLength(3));
    await close();
    expect((await second).error?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(time.pending).toBe(0);
  });
});
