import { systemMonotonic, type Monotonic } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, onTestFinished, test, vi } from "vitest";
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
import { RemoteProxy } from "../remote-proxy.js";
import { RemoteToolProxy } from "../remote-tool-proxy.js";

const tool = (name: string, more: JsonObject = {}): JsonObject => ({ name, inputSchema: { type: "object" }, ...more });

/** Answers `tools/list` with what `page` gives for a cursor. */
const lists = (page: (cursor: string | undefined) => JsonObject): Script =>
  modern((seen, res) => {
    const { cursor } = seen.message["params"] as { cursor?: string };
    json(res, 200, result(seen, page(cursor)));
  });

async function proxyTo(script: Script, monotonic: Monotonic = systemMonotonic) {
  const server = await upstream(script);
  const logger = new RecordingLogger();
  const proxy = new RemoteProxy({ spec: specFor(server.url), logger, monotonic });
  onTestFinished(() => proxy.dispose());
  return { proxy, logger, server };
}

describe("the tools of an upstream", () => {
  test("are listed over all pages, unknown keys kept, with the shortest ttl and the narrowest scope", async () => {
    const pages: Record<string, JsonObject> = {
      "": { tools: [tool("a", { "x-new": { deep: 1 } })], nextCursor: "2", ttlMs: 9_000, cacheScope: "public" },
      "2": { tools: [tool("b")], nextCursor: "", ttlMs: 5_000, cacheScope: "private" },
    };
    const { proxy } = await proxyTo(
      lists((cursor) => {
        if (cursor === "") return { tools: [tool("c")], ttlMs: 7_000, cacheScope: "public" };
        return pages[cursor ?? ""] ?? {};
      }),
    );
    expect(await proxy.list("tools")).toEqual({
      entries: [tool("a", { "x-new": { deep: 1 } }), tool("b"), tool("c")],
      ttlMs: 5_000,
      cacheScope: "private",
    });
  });

  test.each<[JsonObject, JsonObject]>([
    [
      { ttlMs: -1, cacheScope: "public" },
      { ttlMs: 0, cacheScope: "public" },
    ],
    [{ ttlMs: 1.5 }, { ttlMs: 0, cacheScope: "private" }],
    [{ cacheScope: "public" }, { ttlMs: 0, cacheScope: "public" }],
    [{}, { ttlMs: 0, cacheScope: "private" }],
    [
      { ttlMs: "60000", cacheScope: "Public" },
      { ttlMs: 0, cacheScope: "private" },
    ],
    [
      { ttlMs: null, cacheScope: null },
      { ttlMs: 0, cacheScope: "private" },
    ],
  ])("hints that break the specification, %j, count as the most careful ones", async (hints, careful) => {
    const { proxy } = await proxyTo(lists(() => ({ tools: [tool("a")], ...hints })));
    expect(await proxy.list("tools")).toEqual({ entries: [tool("a")], ...careful });
  });

  test("a page without hints, which every one of a modern upstream owes, makes the whole list stale and private (2026-07-28, Caching)", async () => {
    const { proxy } = await proxyTo(
      lists((cursor) =>
        cursor === undefined
          ? { tools: [tool("a")], nextCursor: "2", ttlMs: 9_000, cacheScope: "public" }
          : { tools: [tool("b")] },
      ),
    );
    expect(await proxy.list("tools")).toEqual({
      entries: [tool("a"), tool("b")],
      ttlMs: 0,
      cacheScope: "private",
    });
  });

  test("a legacy upstream says neither ttl nor scope", async () => {
    const { proxy } = await proxyTo(
      legacy((seen, res) => json(res, 200, result(seen, { tools: [tool("a")] })), { sessions: new Set() }),
    );
    expect(await proxy.list("tools")).toEqual({ entries: [tool("a")] });
  });

  test("what is no tool is left out with one warning that names it", async () => {
    const broken = tool("mirrors", { inputSchema: { properties: { a: { type: "number", "x-mcp-header": "A" } } } });
    const entries = [
      null,
      tool(""),
      tool("x".repeat(513)),
      { inputSchema: {} },
      { name: "no schema", inputSchema: [] },
      broken,
      tool("good"),
    ];
    const { proxy, logger } = await proxyTo(lists(() => ({ tools: entries })));
    expect((await proxy.list("tools")).entries).toEqual([tool("good")]);
    expect(logger.messages("warn")).toEqual(["Entries that break the specification were left out of a list"]);
    const { fields } = logger.lines.find(({ level }) => level === "warn") ?? {};
    expect(fields?.["count"]).toBe(6);
    expect(fields?.["entries"]).toEqual([
      "(an entry that is no object)",
      '"" (no usable name)',
      expect.stringMatching(/^"x{63} \(no usable name\)$/) as string,
      "undefined (no usable name)",
      "no schema (no inputSchema)",
      expect.stringContaining("mirrors (") as string,
    ]);
  });

  test("what was said of a list is not said with each list, but again when it is something else", async () => {
    const bad = (name: string): JsonObject => tool(name, { inputSchema: { type: "array" } });
    let entries = [bad("one"), tool("good")];
    const { proxy, logger } = await proxyTo(lists(() => ({ tools: entries })));
    const listed = async (next: JsonObject[]) => {
      entries = next;
      return (await proxy.list("tools")).leftOut;
    };
    const one = ["one (its inputSchema is not of an object)"];
    expect(await listed([bad("one"), tool("good")])).toEqual(one);
    expect(await listed([bad("one"), tool("good")])).toEqual(one);
    expect(logger.messages("warn")).toHaveLength(1);
    expect(await listed([bad("two"), tool("good")])).toEqual(["two (its inputSchema is not of an object)"]);
    expect(await listed([tool("good")])).toBeUndefined();
    expect(await listed([bad("two")])).toHaveLength(1);
    expect(logger.messages("warn")).toHaveLength(3);
  });

  test.each<[string, (cursor: string | undefined) => JsonObject, string, string]>([
    [
      "more than 16 MiB",
      () => ({ tools: [tool("a", { description: "x".repeat(17 * 1024 * 1024) })] }),
      "UPSTREAM_LIMIT",
      "more than 16777216 bytes",
    ],
    [
      "16 MiB over many pages",
      (cursor = "0") => ({
        tools: [tool("a", { description: "x".repeat(5 * 1024 * 1024) })],
        nextCursor: `${cursor}1`,
      }),
      "UPSTREAM_LIMIT",
      "bytes",
    ],
    [
      "more than 20,000 tools",
      () => ({ tools: Array.from({ length: 20_001 }, (_, at) => tool(`t${String(at)}`)) }),
      "UPSTREAM_LIMIT",
      "20000 tools",
    ],
    [
      "pages without end",
      (cursor = "0") => ({ tools: [], nextCursor: String(Number(cursor) + 1) }),
      "UPSTREAM_LIMIT",
      "1000 pages",
    ],
    [
      "a cursor that leads back",
      (cursor) => ({ tools: [], nextCursor: cursor === "a" ? "b" : "a" }),
      "UPSTREAM_PROTOCOL",
      "in a circle",
    ],
    ["no list", () => ({ tools: "many" }), "UPSTREAM_PROTOCOL", "without a list of tools"],
  ])("%s are refused with the reason, and the connector stays connected", async (_, page, code, text) => {
    const { proxy } = await proxyTo(lists(page));
    const listed = proxy.list("tools");
    await expect(listed).rejects.toMatchObject({ code });
    await expect(listed).rejects.toThrow(text);
    expect(proxy.state.kind).toBe("up");
  });

  test.each<[string, number, number]>([
    ["before a page that there is no time for", 30_000, 4],
    ["within the page that it ran out in", 29_999, 5],
  ])("a whole list may take four times the time of a page, which ends it %s (R8)", async (_, pageMs, asked) => {
    let nowMs = 0;
    let pages = 0;
    const answers = lists((cursor = "0") => ({ tools: [tool(cursor)], nextCursor: String(Number(cursor) + 1) }));
    const { proxy, server } = await proxyTo(
      (seen, res) => {
        if (seen.method === "tools/list") {
          nowMs += pageMs;
          pages += 1;
          // The fifth has what is left: a few milliseconds, in which it says nothing.
          if (pages === 5) return;
        }
        answers(seen, res);
      },
      { elapsedMs: () => nowMs },
    );
    await expect(proxy.list("tools")).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: expect.stringContaining("did not list all its tools within 120000 ms") as string,
    });
    expect(server.methods.filter((method) => method === "tools/list")).toHaveLength(asked);
    expect(proxy.state.kind).toBe("up");
  });

  test("an upstream that never said it had tools, and does not know the method, has none", async () => {
    const script: Script = (seen, res) => {
      if (seen.method === "server/discover")
        json(res, 200, result(seen, { ...DISCOVERED, capabilities: { prompts: {} } }));
      else json(res, 404, failure(seen, -32_601));
    };
    expect(await (await proxyTo(script)).proxy.list("tools")).toEqual({ entries: [] });
    const claims = await proxyTo(modern((seen, res) => json(res, 404, failure(seen, -32_601))));
    await expect(claims.proxy.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
  });
});

describe("the other lists of an upstream (R22)", () => {
  const hints = { ttlMs: 5, cacheScope: "private" } as const;
  const script = modern((seen, res) => {
    const entries: Record<string, JsonObject> = {
      "resources/list": { resources: [{ uri: "a:b", name: "b", "x-own": 1 }, { name: "no uri" }] },
      "resources/templates/list": { resourceTemplates: [{ uriTemplate: "a:{b}", name: "t" }, null] },
      "prompts/list": { prompts: [{ name: "p" }, { name: "" }] },
    };
    json(res, 200, result(seen, { ...entries[seen.method], ...hints }));
  });

  test.each([
    ["resources", { entries: [{ uri: "a:b", name: "b", "x-own": 1 }], leftOut: ["undefined (no usable uri)"] }],
    [
      "resourceTemplates",
      { entries: [{ uriTemplate: "a:{b}", name: "t" }], leftOut: ["(an entry that is no object)"] },
    ],
    ["prompts", { entries: [{ name: "p" }], leftOut: ['"" (no usable name)'] }],
  ] as const)("%s are known by their own member, and what has none is left out", async (kind, list) => {
    const { proxy, logger } = await proxyTo(script);
    expect(await proxy.list(kind)).toEqual({ ...list, ...hints });
    expect(logger.lines.find(({ level }) => level === "warn")?.fields).toMatchObject({ list: kind, count: 1 });
  });
});

describe("calls of the gateway's own", () => {
  const mirrored = tool("echo", {
    inputSchema: { type: "object", properties: { a: { type: "integer", "x-mcp-header": "A" } } },
  });
  const script = modern((seen, res) => {
    if (seen.method === "tools/list") json(res, 200, result(seen, { tools: [mirrored] }));
    else
      json(
        res,
        200,
        result(seen, { resultType: "complete", content: [], header: String(seen.headers["mcp-param-a"]) }),
      );
  });

  test("mirror what the tool asks for, once it was listed, as calls of legacy clients do", async () => {
    const { proxy } = await proxyTo(script);
    expect(await proxy.callTool("echo", { a: 5 })).toMatchObject({ header: "undefined" });
    await proxy.list("tools");
    expect(await proxy.callTool("echo", { a: 5 })).toMatchObject({ header: "5" });
    const sink = new RecordingSink();
    proxy.send(toolCall(LEGACY_CALLER), sink);
    await sink.done;
    expect(sink.response).toMatchObject({ result: { header: "1" } });
  });

  test("end with their signal or their time", async () => {
    const { proxy, server } = await proxyTo(modern(() => {}));
    const controller = new AbortController();
    const cancelled = expect(proxy.callTool("echo", {}, { signal: controller.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await vi.waitFor(() => expect(server.methods).toContain("tools/call"));
    controller.abort();
    await cancelled;
    await expect(proxy.callTool("echo", {}, { timeoutMs: 5 })).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
  });

  test("RemoteToolProxy is the tools alone", async () => {
    const server = await upstream(script);
    const tools = new RemoteToolProxy({ connectorId: "plan", url: server.url, logger: new RecordingLogger() });
    onTestFinished(() => tools.disconnect());
    await tools.connect();
    expect(await tools.getTools()).toEqual([mirrored]);
    expect(await tools.callTool("echo", { a: 1 })).toMatchObject({ content: [] });
    await tools.disconnect();
    await expect(tools.getTools()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });
});
