import { ManualTime } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { afterEach, describe, expect, test } from "vitest";
import {
  callTool,
  closeLinks,
  drive,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  MODERN_CALLER,
  RecordingSink,
  toolCall,
  until,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

async function opened(setup: Parameters<typeof linkTo>[0] = {}): Promise<LinkUnderTest> {
  const under = linkTo(setup);
  await under.open();
  return under;
}

describe("calls over one shared child (R8)", () => {
  test("1,000 concurrent calls with colliding ids and progress tokens: 0 wrong deliveries, whatever order they end in", async () => {
    const under = await opened();
    const sinks = Array.from({ length: 1_000 }, (_, index) => {
      const sink = new RecordingSink();
      const id = index % 10;
      const meta = { progressToken: index % 3 };
      if (index % 2 === 0)
        under.link.send(toolCall("echo", { value: `v${index}`, delayMs: (index * 7) % 50 }, { id }), sink);
      else under.link.send(toolCall("progress", { steps: 1 + (index % 5) }, { id: `s${id}`, meta }), sink);
      return sink;
    });
    await Promise.all(sinks.map(({ settled }) => settled));
    for (const [index, sink] of sinks.entries()) {
      expect(sink.outcomes).toBe(1);
      if (index % 2 === 0) {
        expect(sink.response).toEqual({
          jsonrpc: "2.0",
          id: index % 10,
          result: { content: [{ type: "text", text: `v${index}` }] },
        });
        expect(sink.notifications).toEqual([]);
      } else {
        const steps = 1 + (index % 5);
        expect(sink.response).toMatchObject({ id: `s${index % 10}` });
        expect(sink.notifications.map(({ params }) => params)).toEqual(
          Array.from({ length: steps }, (_, step) => ({ progressToken: index % 3, progress: step + 1, total: steps })),
        );
      }
    }
  });

  test.each([
    ["legacy", LEGACY_CALLER, "legacy", undefined],
    ["modern", MODERN_CALLER, "legacy", "complete"],
    ["modern", MODERN_CALLER, "modern", undefined],
    ["legacy", LEGACY_CALLER, "modern", undefined],
  ])(
    "a %s caller gets its own era's result of a server of the other or the same: %#",
    async (_, caller, era, resultType) => {
      const under = await opened({ args: ["--era", era] });
      const sink = await callTool(under, "echo", { value: "hi" }, { caller });
      const result = { content: [{ type: "text", text: "hi" }], ...(resultType === undefined ? {} : { resultType }) };
      expect(sink.response).toEqual({ jsonrpc: "2.0", id: 1, result });
    },
  );

  test("an error of the server's is an answer, unknown members of it included", async () => {
    const under = await opened();
    expect((await callTool(under, "fail")).response).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32_603, message: "it failed" },
    });
    expect((await callTool(under, "nothing")).response).toMatchObject({ error: { code: -32_601 } });
  });

  test("a result that a legacy caller cannot be given becomes an error that says so", async () => {
    const under = await opened({ args: ["--era", "modern"] });
    const line = '{"jsonrpc":"2.0","id":$ID,"result":{"resultType":"input_required","inputRequests":{}}}';
    const sink = await callTool(under, "raw", { line });
    expect(sink.response).toMatchObject({
      id: 1,
      error: { code: -32_603, message: expect.stringContaining("asks for input") },
    });
  });

  test("metadata goes out in the server's era: taken from modern callers, given to legacy ones, kept within one era", async () => {
    const clientInfo = { name: "desk", version: "1" };
    const meta = {
      [META.protocolVersion]: "2026-07-28",
      [META.clientCapabilities]: { sampling: {} },
      [META.clientInfo]: clientInfo,
      mine: 1,
    };
    const paramsAt = async (under: LinkUnderTest, over: Parameters<typeof toolCall>[2]): Promise<unknown> =>
      JSON.parse((await callTool(under, "params", {}, over)).text);
    const legacy = await opened();
    const modern = await opened({ args: ["--era", "modern"] });
    const sent = { name: "params", arguments: {} };
    expect(await paramsAt(legacy, { caller: MODERN_CALLER, meta })).toEqual({ ...sent, _meta: { mine: 1 } });
    expect(await paramsAt(legacy, {})).toEqual(sent);
    expect(await paramsAt(modern, { caller: MODERN_CALLER, meta })).toEqual({ ...sent, _meta: meta });
    expect(await paramsAt(modern, { caller: { ...LEGACY_CALLER, clientInfo }, meta: { mine: 1 } })).toEqual({
      ...sent,
      _meta: { ...meta, [META.clientCapabilities]: {} },
    });
  });

  test("what belongs to nobody reaches nobody", async () => {
    const under = await opened();
    const bystander = new RecordingSink();
    const waiting = under.link.send(toolCall("hang", {}, { id: 1, meta: { progressToken: "x" } }), bystander);
    const sink = await callTool(under, "strangers", {}, { meta: { progressToken: "y" } });
    expect(sink.text).toBe("ok");
    expect([sink.notifications, bystander.notifications, bystander.outcomes]).toEqual([[], [], 0]);
    waiting.cancel();
  });

  test("a server's ping is answered, and what the calling client does not offer is refused", async () => {
    const under = await opened();
    expect(JSON.parse((await callTool(under, "ask")).text)).toEqual({
      p: {},
      r: { code: -32_601, message: expect.stringContaining("does not offer") },
    });
  });

  test("a modern server gets no answer to a request that it must not send", async () => {
    const under = await opened({ args: ["--era", "modern"] });
    expect((await callTool(under, "ask")).text).toBe("{}");
  });

  test("banners and blank lines on stdout are skipped, their secrets hidden", async () => {
    const under = await opened({ env: { API_KEY: "s3cret-key" } });
    expect((await callTool(under, "garbage", { lines: 50 })).text).toBe("ok");
    expect(under.logger.messages("warn")).toHaveLength(5);
    expect(JSON.stringify(under.logger.lines)).not.toContain("s3cret-key");
  });

  test("an answer that is malformed fails its call alone", async () => {
    const under = await opened();
    const sink = await callTool(under, "raw", { line: '{"jsonrpc":"2.0","id":$ID,"result":7}' });
    expect(sink.failure).toMatchObject({ code: "UPSTREAM_PROTOCOL" });
    expect((await callTool(under, "echo", { value: "still here" })).text).toBe("still here");
  });

  test("there is nothing to resume", async () => {
    const under = await opened();
    const sink = new RecordingSink();
    under.link.send(toolCall("echo", { value: "x" }), sink).resume();
    expect((await sink.settled).text).toBe("x");
  });
});

describe("the gateway's own requests", () => {
  const limits = { timeoutMs: 10_000, maxBytes: 100_000 };

  test("get the server's result, with the metadata that its era asks for", async () => {
    const params = (name: string, args: JsonObject = {}): JsonObject => ({ name, arguments: args });
    const modern = await opened({ args: ["--era", "modern"] });
    const result = await modern.link.request("tools/list", {}, limits);
    expect(Array.isArray(result["tools"])).toBe(true);
    const legacy = await opened();
    expect(await legacy.link.request("tools/call", params("echo", { value: 1 }), limits)).toEqual({
      content: [{ type: "text", text: "1" }],
    });
  });

  test("fail as typed errors: an error answer, too long an answer, no answer, a cancellation", async () => {
    const { link } = await opened();
    const call = (name: string, args: JsonObject = {}): JsonObject => ({ name, arguments: args });
    await expect(link.request("tools/call", call("fail"), limits)).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: 'Connector "demo": it answered tools/call with error -32603 (upstream text: "it failed")',
    });
    await expect(link.request("tools/call", call("long", { bytes: 100_000 }), limits)).rejects.toMatchObject({
      code: "UPSTREAM_LIMIT",
    });
    await expect(link.request("tools/call", call("hang"), { ...limits, timeoutMs: 20 })).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
    });
    const abort = new AbortController();
    const cancelled = link.request("tools/call", call("hang"), { ...limits, signal: abort.signal });
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(link.request("ping", {}, { ...limits, signal: abort.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(await link.request("ping", {}, { ...limits, signal: new AbortController().signal })).toEqual({});
  });
});

describe("changes of a server's tools", () => {
  test.each(["legacy", "modern"])("are told once each: %s", async (era) => {
    const under = await opened({ args: ["--era", era] });
    expect((await callTool(under, "changed")).text).toBe("ok");
    await callTool(under, "changed");
    await until(() => under.changes() === 2);
  });

  test.each(["result", "notification"])(
    "are listened for again when the server ends it, and count as changed once it stands: %s",
    async (how) => {
      const time = new ManualTime();
      const under = linkTo({ args: ["--era", "modern"], time });
      await under.open();
      for (const round of [1, 2]) {
        const before = under.changes();
        await callTool(under, "endListening", { how });
        await until(() => time.delays.some((delay) => delay <= 1_000));
        await drive(
          time,
          until(() => under.changes() === before + 1),
          100,
        );
        await callTool(under, "changed");
        await until(() => under.changes() === 2 * round);
      }
    },
  );
});
