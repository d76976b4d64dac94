import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, modern, openStream, result, stream, upstream } from "./scripted-upstream.js";

describe("deadlines of calls", () => {
  test("a silent upstream is given up after callMs and its connection closed", async () => {
    const time = new ManualTime();
    const server = await upstream(modern(() => {}));
    const { link } = await openLink(server.url, { time, timeouts: { callMs: 1_000 } });
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(server.methods).toContain("tools/call"));
    await time.advance(999);
    expect(sink.endings).toEqual([]);
    await time.advance(1);
    expect(sink.error?.code).toBe("UPSTREAM_TIMEOUT");
    expect(sink.error?.message).toBe('Connector "up" did not answer within 1000 ms');
    await vi.waitFor(() => expect(server.of("tools/call")[0]?.aborted).toBe(true));
    expect(time.pending).toBe(0);
  });

  test("events extend the wait, but not beyond callMaxMs; the stream ends with the error", async () => {
    const time = new ManualTime();
    let send: ReturnType<typeof openStream> = () => {};
    const server = await upstream(
      modern((_, res) => {
        send = openStream(res);
      }),
    );
    const { link } = await openLink(server.url, { time, timeouts: { callMs: 1_000, callMaxMs: 2_500 } });
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.status).toBe(200));
    for (let step = 1; step <= 2; step += 1) {
      await time.advance(900);
      send({ step });
      await vi.waitFor(() => expect(sink.chunks).toHaveLength(step));
    }
    await time.advance(699);
    expect(sink.endings).toEqual([]);
    await time.advance(1);
    expect(sink.endings).toEqual(["end"]);
    expect(sink.failure?.code).toBe("UPSTREAM_TIMEOUT");
    expect(sink.messages.at(-1)).toEqual({
      jsonrpc: "2.0",
      id: 7,
      error: { code: -31_002, message: 'Connector "up" did not answer within 2500 ms' },
    });
  });
});

describe("the byte path of a legacy client to a legacy upstream", () => {
  test("a client's own session: bytes unchanged, its own ids, told to the upstream when cancelled", async () => {
    const sessions = new Set<string>();
    const server = await upstream(
      legacy(
        (seen, res) => {
          if (seen.message["id"] === 2) void openStream(res);
          else stream(res, result(seen, { content: [] }));
        },
        { sessions },
      ),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER, 1), sink);
    await sink.done;
    expect(sink.text).toBe('event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n\n');
    const slow = new RecordingSink();
    const exchange = link.send(toolCall(LEGACY_CALLER, 2), slow);
    await vi.waitFor(() => expect(slow.status).toBe(200));
    exchange.cancel("changed my mind");
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
    const [cancelled] = server.of("notifications/cancelled");
    expect(cancelled?.message["params"]).toEqual({ requestId: 2, reason: "changed my mind" });
    expect(cancelled?.headers["mcp-session-id"]).toBe("session-2");
    await vi.waitFor(() => expect(server.of("tools/call")[1]?.aborted).toBe(true));
  });

  test("an upstream without sessions never sees two callers' ids and progress tokens collide", async () => {
    const server = await upstream(legacy((seen, res) => json(res, 200, result(seen, { content: [] }))));
    const { link } = await openLink(server.url);
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const sink of sinks) link.send(toolCall(LEGACY_CALLER, "x"), sink);
    await Promise.all(sinks.map(async (sink) => sink.done));
    for (const sink of sinks) {
      expect(sink.response).toEqual({ jsonrpc: "2.0", id: "x", result: { content: [] } });
    }
    expect(server.of("initialize")).toHaveLength(1);
    const calls = server.of("tools/call");
    expect(new Set(calls.map(({ message }) => message["id"])).size).toBe(2);
    expect(calls[0]?.headers["mcp-protocol-version"]).toBe("2025-11-25");
  });
});
