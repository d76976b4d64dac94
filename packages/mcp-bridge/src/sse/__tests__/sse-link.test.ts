import { ManualTime } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { failure, result } from "../../http/__tests__/scripted-upstream.js";
import type { Link } from "../../link.js";
import type { UpstreamCall } from "../../runtime/exchange.js";
import { OldServer } from "./old-server.js";

const limits = { timeoutMs: 5_000, maxBytes: 100_000 };
const sse = true;

function send(link: Link, call: UpstreamCall): RecordingSink {
  const sink = new RecordingSink();
  link.send(call, sink);
  return sink;
}

const resultOf = (sink: RecordingSink): JsonObject | undefined =>
  sink.response !== undefined && "result" in sink.response ? sink.response.result : undefined;

describe("a server of the old HTTP+SSE transport (R8)", () => {
  test("is greeted over its stream, and what it is is remembered with the transport", async () => {
    const time = new ManualTime(Date.parse("2026-08-01T00:00:00Z"));
    const server = await OldServer.start();
    const { facts, link } = await openLink(server.url, { sse, time, headers: { authorization: "Bearer s3cret" } });
    expect(facts).toEqual({
      era: "legacy",
      transport: "sse",
      revision: "2025-11-25",
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: "old", version: "1" },
      instructions: "be patient",
      detectedAt: "2026-08-01T00:00:00.000Z",
    });
    expect(link.hearsChanges).toBe(true);
    expect(server.http.seen.map(({ http, url, method }) => [http, url, method])).toEqual([
      ["GET", "/mcp", "GET"],
      ["POST", "/messages?session=1", "initialize"],
      ["POST", "/messages?session=1", "notifications/initialized"],
    ]);
    expect(server.http.seen.map(({ headers }) => headers["authorization"])).toEqual(
      server.http.seen.map(() => "Bearer s3cret"),
    );
    expect(server.http.seen.map(({ headers }) => headers["mcp-protocol-version"])).toEqual([
      undefined,
      undefined,
      "2025-11-25",
    ]);
    expect(time.pending).toBe(0);
  });

  test.each(["2025-06-18", "2025-03-26", "2024-11-05"])("may choose revision %s", async (revision) => {
    const server = await OldServer.start(undefined, { revision });
    expect((await openLink(server.url, { sse })).facts.revision).toBe(revision);
  });

  test.each([
    ["an absolute address", (id: string, url: string) => new URL(`/messages?session=${id}`, url).href],
    ["a relative one", (id: string) => `messages?session=${id}`],
  ])("may name the place for messages by %s", async (_, endpoint) => {
    const server = await OldServer.start(undefined, { endpoint });
    const { link } = await openLink(server.url, { sse });
    expect(await link.request("ping", {}, limits)).toHaveProperty("session", "1");
  });

  test("answers clients of both eras, each under its own id, in whatever order", async () => {
    const held: (() => void)[] = [];
    const server = await OldServer.start((seen, session) => {
      held.push(() => session.send(result(seen, { told: seen.message["params"] ?? null })));
      if (held.length === 3) for (const answer of held.splice(0).toReversed()) answer();
    });
    const { link } = await openLink(server.url, { sse });
    const sinks = [
      send(link, toolCall(LEGACY_CALLER, 0)),
      send(link, toolCall(LEGACY_CALLER, "zero")),
      send(link, toolCall({ ...MODERN_CALLER, principal: "anna" }, 0)),
    ];
    await Promise.all(sinks.map((sink) => sink.done));
    expect(sinks.map((sink) => sink.response?.id)).toEqual([0, "zero", 0]);
    const told = { name: "echo", arguments: { a: 1 }, _meta: {} };
    expect(resultOf(sinks[0] ?? new RecordingSink())).toEqual({ told });
    expect(resultOf(sinks[2] ?? new RecordingSink())).toMatchObject({ resultType: "complete" });
  });

  test("sends errors, batches, pings and big messages, in pieces", async () => {
    const big = "é".repeat(3 * 1024 * 1024);
    const server = await OldServer.start((seen, session) => {
      if (seen.method === "resources/read") session.send([result(seen, { big })]);
      else {
        session.raw(": comment\n\nid: 7\n\nevent: weather\ndata: fine\n\n");
        session.send({ jsonrpc: "2.0", id: 99, method: "ping" });
        session.send({ jsonrpc: "2.0", id: "r", method: "roots/list" });
        session.send(failure(seen, -32_602, "no such tool"));
      }
    });
    const { link } = await openLink(server.url, { sse });
    const refused = await send(link, toolCall(LEGACY_CALLER)).done;
    expect(refused.response).toMatchObject({ id: 7, error: { code: -32_602, message: "no such tool" } });
    const session = server.of("old-client");
    await vi.waitFor(() =>
      expect(session?.posted.slice(3).map(({ message }) => message)).toEqual([
        { jsonrpc: "2.0", id: 99, result: {} },
        { jsonrpc: "2.0", id: "r", error: { code: -32_601, message: expect.stringContaining("does not offer") } },
      ]),
    );
    const read = await send(link, { ...toolCall(LEGACY_CALLER), method: "resources/read" }).done;
    expect(resultOf(read)).toEqual({ big });
  });

  test("tells progress under the client's own token, and extends the wait by it", async () => {
    const time = new ManualTime();
    const server = await OldServer.start(() => {});
    const { link } = await openLink(server.url, { sse, time, timeouts: { callMs: 100 } });
    const sink = send(link, toolCall(LEGACY_CALLER, 7, { progressToken: "mine" }));
    await vi.waitFor(() => expect(server.of("old-client")?.methods).toContain("tools/call"));
    const session = server.of("old-client");
    const params = session?.posted.at(-1)?.message["params"] as { _meta: JsonObject } | undefined;
    const token = params?._meta["progressToken"] ?? null;
    for (let step = 1; step <= 3; step += 1) {
      await time.advance(90);
      const method = "notifications/progress";
      session?.send({ jsonrpc: "2.0", method, params: { progressToken: token, progress: step } });
      await vi.waitFor(() => expect(sink.notifications).toHaveLength(step));
    }
    expect(sink.notifications[2]?.params).toEqual({ progressToken: "mine", progress: 3 });
    await time.advance(100);
    await sink.done;
    expect(sink.error).toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await vi.waitFor(() => expect(session?.methods.at(-1)).toBe("notifications/cancelled"));
    await time.advance(5_000);
    expect(time.pending).toBe(0);
  });

  test("is told of a cancel, and hears of none that came before the call was sent", async () => {
    const server = await OldServer.start(() => {});
    const { link } = await openLink(server.url, { sse });
    const early = link.send(toolCall(LEGACY_CALLER, 1), new RecordingSink());
    early.cancel();
    const sink = new RecordingSink();
    const exchange = link.send(toolCall(LEGACY_CALLER, 2), sink);
    await vi.waitFor(() => expect(server.of("old-client")?.methods).toContain("tools/call"));
    exchange.cancel("changed my mind");
    exchange.resume();
    await vi.waitFor(() => expect(server.of("old-client")?.methods.slice(2)).toHaveLength(2));
    const [call, cancelled] = server.of("old-client")?.posted.slice(2) ?? [];
    expect(cancelled?.message).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: call?.message["id"], reason: "changed my mind" },
    });
    expect(sink.endings).toEqual([]);
  });

  test("may respond to the POST of a call only when the call is done, or never end that response", async () => {
    const held: (() => void)[] = [];
    const server: OldServer = await OldServer.start(undefined, {
      post: (seen, res, session) => {
        if (seen.method !== "tools/call") return false;
        held.push(() => {
          server.answer(seen, session);
          if (held.length === 1) res.writeHead(200, { "content-type": "application/json" }).end("{}");
          else res.writeHead(200).write("x".repeat(50_000));
        });
        return true;
      },
    });
    const { link } = await openLink(server.url, { sse });
    for (let call = 0; call < 2; call += 1) {
      const sink = send(link, toolCall(LEGACY_CALLER, call));
      await vi.waitFor(() => expect(held).toHaveLength(call + 1));
      held[call]?.();
      expect((await sink.done).response).toMatchObject({ id: call, result: { session: "2" } });
    }
  });
});

describe("what an old server tells unasked (R8)", () => {
  test("changes of its lists come from the gateway's own connection; notes from a client's are that client's", async () => {
    const server = await OldServer.start();
    const { changes, link, told } = await openLink(server.url, { sse });
    await send(link, toolCall(LEGACY_CALLER)).done;
    await send(link, toolCall(MODERN_CALLER)).done;
    const [own, clients, principals] = server.sessions;
    const note = (data: string) => ({ jsonrpc: "2.0", method: "notifications/message", params: { data } });
    for (const session of [own, clients, principals]) {
      session?.send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
      session?.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 99 } });
      session?.send(note(session.id));
    }
    await vi.waitFor(() => expect(told).toHaveLength(2));
    await send(link, toolCall(MODERN_CALLER)).done;
    expect(told).toEqual(expect.arrayContaining([[note("1")], [note("2"), "client-1"]]));
    expect(changes.count).toBe(1);
  });

  test("its resources are subscribed to and its log level is set on the gateway's own connection, if it offers that", async () => {
    const capabilities = { resources: { subscribe: true }, logging: {} };
    const server = await OldServer.start(undefined, { capabilities });
    const { link } = await openLink(server.url, { sse });
    await link.subscribe("file:///a");
    await link.unsubscribe("file:///a");
    link.setLogLevel("debug");
    await vi.waitFor(() =>
      expect(server.sessions[0]?.methods.slice(2)).toEqual([
        "resources/subscribe",
        "resources/unsubscribe",
        "logging/setLevel",
      ]),
    );
    expect(link.hearsChanges).toBe(false);
    server.calls = (seen, session) => session.send(failure(seen, -32_002, "gone"));
    await expect(link.subscribe("file:///b")).rejects.toMatchObject({ data: { upstreamCode: -32_002 } });
    link.setLogLevel("info");
    const plain = await OldServer.start();
    const other = await openLink(plain.url, { sse });
    other.link.setLogLevel("debug");
    await expect(other.link.subscribe("file:///a")).rejects.toMatchObject({ data: { upstreamCode: -32_601 } });
    expect(plain.sessions[0]?.methods).toEqual(["initialize", "notifications/initialized"]);
  });
});

describe("log messages of an old server", () => {
  test("reach the modern call that asked for them while it is in flight, and the legacy session whose connection it is", async () => {
    const log = (level: string) => ({ jsonrpc: "2.0", method: "notifications/message", params: { level, data: "x" } });
    const server = await OldServer.start(
      (seen, session) => {
        if (seen.method === "tools/call") for (const level of ["debug", "error"]) session.send(log(level));
        session.send(result(seen, {}));
      },
      { capabilities: { tools: {}, logging: {} } },
    );
    const { link, told } = await openLink(server.url, { sse });
    const modern = await send(link, toolCall(MODERN_CALLER, 1, { [META.logLevel]: "warning" })).done;
    expect(modern.notifications).toEqual([log("error")]);
    expect(told).toEqual([]);
    const legacy = await send(link, toolCall({ ...LEGACY_CALLER, logLevel: "info" })).done;
    expect(legacy.notifications).toEqual([]);
    expect(told).toEqual([
      [log("debug"), "client-1"],
      [log("error"), "client-1"],
    ]);
    const levels = server.http.of("logging/setLevel").map(({ message }) => message["params"]);
    expect(levels).toEqual([{ level: "warning" }, { level: "info" }]);
  });
});

describe("requests of the gateway's own to an old server", () => {
  test("fail as typed errors, and are told of a cancel", async () => {
    const server = await OldServer.start((seen, session) => {
      if (seen.method === "tools/call") session.send(failure(seen, -32_603, "it failed"));
      else if (seen.method === "long") session.send(result(seen, { long: "x".repeat(1_000) }));
    });
    const { link } = await openLink(server.url, { sse });
    await expect(link.request("tools/call", {}, limits)).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: 'Connector "up": it answered tools/call with error -32603 (upstream text: "it failed")',
    });
    await expect(link.request("long", {}, { ...limits, maxBytes: 100 })).rejects.toMatchObject({
      code: "UPSTREAM_LIMIT",
    });
    const abort = new AbortController();
    const cancelled = link.request("hang", {}, { ...limits, signal: abort.signal });
    await vi.waitFor(() => expect(server.sessions[0]?.methods).toContain("hang"));
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
    await vi.waitFor(() => expect(server.sessions[0]?.methods.at(-1)).toBe("notifications/cancelled"));
  });
});
