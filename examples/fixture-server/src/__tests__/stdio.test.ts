import { once } from "node:events";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { initialize, modernRequest, openPipe } from "./stdio-pipe.js";
import { META_FIELDS } from "./support.js";

describe("the modern era over stdio (R22)", () => {
  test("discovers, lists and calls without a word before", async () => {
    const pipe = openPipe();
    pipe.send(modernRequest(1, "server/discover"));
    pipe.send(modernRequest(2, "tools/list"));
    pipe.send(modernRequest("c", "tools/call", { name: "whoami", arguments: {} }));
    expect(await pipe.answerTo(1)).toMatchObject({ result: { supportedVersions: ["2026-07-28"] } });
    expect(await pipe.answerTo(2)).toMatchObject({ result: { resultType: "complete", cacheScope: "public" } });
    expect(await pipe.answerTo("c")).toMatchObject({
      result: { structuredContent: { era: "modern", session: false, headerNames: [] } },
    });
    pipe.input.end();
    await pipe.served;
  });

  test("refuses what it does not speak, and missing metadata, with the modern codes", async () => {
    const pipe = openPipe();
    const old = { ...META_FIELDS, "io.modelcontextprotocol/protocolVersion": "2025-11-25" };
    pipe.send(modernRequest(1, "tools/list", { _meta: old }));
    pipe.send({ id: 2, method: "tools/list" });
    pipe.send(modernRequest(3, "nothing/such"));
    expect(await pipe.answerTo(1)).toMatchObject({ error: { code: -32_022, data: { requested: "2025-11-25" } } });
    expect(await pipe.answerTo(2)).toMatchObject({ error: { code: -32_602 } });
    expect(await pipe.answerTo(3)).toMatchObject({ error: { code: -32_601 } });
  });

  test("progress comes before the answer; a cancelled call gets neither", async () => {
    const timers = new ManualTime();
    const pipe = openPipe({ timers });
    const slow = (id: number): void => {
      const _meta = { ...META_FIELDS, progressToken: `t${id}` };
      pipe.send(modernRequest(id, "tools/call", { name: "slow", arguments: { ms: 30, steps: 2 }, _meta }));
    };
    slow(1);
    slow(2);
    await vi.waitFor(() => {
      expect(timers.pending).toBe(2);
    });
    await timers.advance(10);
    pipe.send({ method: "notifications/cancelled", params: { requestId: 2 } });
    await vi.waitFor(() => {
      expect(timers.pending).toBe(1);
    });
    await timers.advance(20);
    expect(await pipe.answerTo(1)).toMatchObject({ result: { content: [{ text: "took 30 ms in 2 steps" }] } });
    const tokens = pipe.messages.map(({ id, params }) => id ?? (params as { progressToken: string }).progressToken);
    expect(tokens).toEqual(["t1", "t2", "t1", 1]);
    pipe.send(modernRequest(3, "tools/call", { name: "cancelled" }));
    expect(await pipe.answerTo(3)).toMatchObject({
      result: { structuredContent: { started: 2, completed: 1, cancelled: 1, inFlight: 0 } },
    });
  });

  test("a request that is cancelled during the delay is never begun", async () => {
    const timers = new ManualTime();
    const pipe = openPipe({ timers, delayMs: 100 });
    pipe.send(modernRequest(1, "tools/call", { name: "echo", arguments: { message: "m" } }));
    pipe.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    pipe.send(modernRequest(2, "tools/call", { name: "cancelled" }));
    await vi.waitFor(() => {
      expect(timers.pending).toBe(1);
    });
    await timers.advance(100);
    expect(await pipe.answerTo(2)).toMatchObject({ result: { structuredContent: { started: 0 } } });
    expect(pipe.messages).toHaveLength(1);
  });

  test("subscriptions share the pipe, each under its id, and end in order when the input does", async () => {
    const pipe = openPipe();
    for (const id of ["a", "b", "c"]) {
      pipe.send(modernRequest(id, "subscriptions/listen", { notifications: { toolsListChanged: true } }));
    }
    pipe.send({ method: "notifications/cancelled", params: { requestId: "b" } });
    pipe.send(modernRequest(1, "tools/call", { name: "toggle", arguments: { name: "new", present: true } }));
    await pipe.answerTo(1);
    pipe.input.end();
    await pipe.served;
    const seen = pipe.messages
      .filter(({ id }) => id !== 1)
      .map(({ method = "result", params, result }) => {
        const { _meta: meta, requestId } = (params ?? result) as { _meta?: Record<string, string>; requestId?: string };
        return [method, meta?.["io.modelcontextprotocol/subscriptionId"] ?? requestId];
      });
    expect(seen).toEqual([
      ["notifications/subscriptions/acknowledged", "a"],
      ["notifications/subscriptions/acknowledged", "b"],
      ["notifications/subscriptions/acknowledged", "c"],
      ["notifications/tools/list_changed", "a"],
      ["notifications/tools/list_changed", "c"],
      ["result", "a"],
      ["notifications/cancelled", "a"],
      ["result", "c"],
      ["notifications/cancelled", "c"],
    ]);
  });
});

describe("the legacy era over stdio (R22)", () => {
  test("initializes, lists, calls, pings and sets its log level", async () => {
    const pipe = openPipe();
    pipe.send({ id: "early", method: "ping" });
    pipe.send(initialize("2025-06-18"));
    pipe.send({ method: "notifications/initialized" });
    pipe.send({ id: 1, method: "tools/list" });
    pipe.send({ id: 2, method: "tools/call", params: { name: "whoami" } });
    pipe.send({ id: 3, method: "logging/setLevel", params: { level: "debug" } });
    pipe.send({ id: 4, method: "tools/call", params: { name: "slow", arguments: { ms: 0 } } });
    expect(await pipe.answerTo("early")).toMatchObject({ result: {} });
    expect(await pipe.answerTo("init")).toMatchObject({ result: { protocolVersion: "2025-06-18" } });
    expect(await pipe.answerTo(1)).not.toHaveProperty("result.resultType");
    expect(await pipe.answerTo(2)).toMatchObject({
      result: { structuredContent: { era: "legacy", protocolVersion: "2025-06-18", session: true } },
    });
    await pipe.answerTo(4);
    expect(pipe.messages).toContainEqual(expect.objectContaining({ method: "notifications/message" }));
  });

  test("hears that the tools changed once it has said that it is ready", async () => {
    const pipe = openPipe();
    const toggle = (id: number, present: boolean): void => {
      pipe.send({ id, method: "tools/call", params: { name: "toggle", arguments: { name: "new", present } } });
    };
    const changes = (): number =>
      pipe.messages.filter(({ method }) => method === "notifications/tools/list_changed").length;
    pipe.send(initialize());
    toggle(1, true);
    await pipe.answerTo(1);
    expect(changes()).toBe(0);
    pipe.send({ method: "notifications/initialized" });
    toggle(2, false);
    await pipe.answerTo(2);
    expect(changes()).toBe(1);
  });

  test("a modern client may use the same process at the same time", async () => {
    const pipe = openPipe();
    pipe.send(initialize());
    pipe.send(modernRequest(1, "tools/call", { name: "whoami" }));
    expect(await pipe.answerTo(1)).toMatchObject({ result: { structuredContent: { era: "modern" } } });
  });

  test("a legacy-only server knows no server/discover and waits for initialize", async () => {
    const pipe = openPipe({ era: "legacy" });
    pipe.send(modernRequest(1, "server/discover"));
    pipe.send(modernRequest(2, "tools/list"));
    expect(await pipe.answerTo(1)).toMatchObject({ error: { code: -32_601 } });
    expect(await pipe.answerTo(2)).toMatchObject({ error: { code: -32_600 } });
    pipe.send(initialize());
    pipe.send(modernRequest(3, "tools/list"));
    expect(await pipe.answerTo(3)).toHaveProperty("result.tools");
    pipe.send(modernRequest(4, "server/discover"));
    expect(await pipe.answerTo(4)).toMatchObject({ error: { code: -32_601 } });
  });

  test("a modern-only server names what it speaks when it refuses initialize", async () => {
    const pipe = openPipe({ era: "modern" });
    pipe.send(initialize());
    pipe.send({ id: 1, method: "ping" });
    expect(await pipe.answerTo("init")).toMatchObject({
      error: { code: -32_022, data: { supported: ["2026-07-28"] } },
    });
    expect(await pipe.answerTo(1)).toMatchObject({ error: { code: -32_602 } });
  });
});

describe("the pipe", () => {
  test("chunks may be cut anywhere, also inside a character; empty lines and answers are let be", async () => {
    const pipe = openPipe();
    const call = modernRequest(1, "tools/call", { name: "echo", arguments: { message: "ünï 世界" } });
    const bytes = Buffer.from(
      `\n\r\n{"jsonrpc":"2.0","id":9,"result":{}}\n${JSON.stringify({ jsonrpc: "2.0", ...call })}\r\n`,
    );
    for (const byte of bytes) pipe.input.write(Buffer.from([byte]));
    expect(await pipe.answerTo(1)).toMatchObject({ result: { content: [{ text: "ünï 世界" }] } });
    expect(pipe.messages).toHaveLength(1);
  });

  test("what is no message is refused, with its id when that can be read", async () => {
    const pipe = openPipe();
    pipe.input.write('{"jsonrpc":"2.0"\n[]\n{"jsonrpc":"1.0","id":5,"method":"ping"}\n');
    await pipe.answerTo(5);
    expect(pipe.messages.map(({ id, error }) => [id, (error as { code: number }).code])).toEqual([
      [undefined, -32_700],
      [undefined, -32_600],
      [5, -32_600],
    ]);
  });

  test("the end of the input cancels what runs and leaves no timer", async () => {
    const timers = new ManualTime();
    const pipe = openPipe({ timers });
    pipe.send(modernRequest(1, "tools/call", { name: "slow", arguments: { ms: 1_000 } }));
    await vi.waitFor(() => {
      expect(timers.pending).toBe(1);
    });
    pipe.input.end();
    await pipe.served;
    expect(timers.pending).toBe(0);
    expect(pipe.messages).toEqual([]);
  });

  test("a broken output ends it", async () => {
    const pipe = openPipe();
    pipe.output.destroy(new Error("EPIPE"));
    await pipe.served;
    pipe.send(modernRequest(1, "server/discover"));
    expect(pipe.messages).toEqual([]);
  });

  test("it stops reading while the client takes nothing, and goes on after", async () => {
    const pipe = openPipe();
    pipe.output.pause();
    pipe.send(modernRequest(1, "tools/call", { name: "large", arguments: { bytes: 200_000 } }));
    await once(pipe.input, "pause");
    pipe.send(modernRequest(2, "tools/call", { name: "large", arguments: { bytes: 200_000 } }));
    expect(pipe.input.isPaused()).toBe(true);
    pipe.output.resume();
    expect(await pipe.answerTo(1)).toHaveProperty("result");
    expect(await pipe.answerTo(2)).toHaveProperty("result");
  });
});
