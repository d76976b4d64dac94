import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { Ask } from "../asking/question.js";
import { FixtureServer } from "../fixture-server.js";
import type { FixtureServerOptions } from "../fixture-server-options.js";
import { SharedExchange } from "../shared-exchange.js";
import type { Caller } from "../caller.js";

const CALLER: Caller = {
  era: "legacy",
  protocolVersion: "2025-11-25",
  clientInfo: undefined,
  clientCapabilities: {},
  session: false,
  logLevel: undefined,
  headers: {},
};

const nobody: Ask = async () => ({});

function serve(options: FixtureServerOptions = {}): {
  server: FixtureServer;
  call: (name: string, args?: JsonObject) => Promise<JsonObject>;
} {
  const server = new FixtureServer(options);
  const call = async (name: string, args: JsonObject = {}): Promise<JsonObject> => {
    const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } } as const;
    const exchange = new SharedExchange(() => {});
    const answer = await server.answer(request, exchange, () => server.legacy(request, CALLER, exchange, nobody));
    if (answer === undefined || !("result" in answer.message)) throw new Error(JSON.stringify(answer));
    return answer.message.result;
  };
  return { server, call };
}

const text = (result: JsonObject): string =>
  (result["content"] as { text: string }[]).map((block) => block.text).join("|");

describe("the tools", () => {
  test.each([
    ["echo", {}, "message must be a string"],
    ["echo", { message: 7 }, "message must be a string"],
    ["add", { a: 1, b: "2" }, "b must be a number"],
    ["slow", { ms: -1 }, "ms must be a whole number from 0 to 3600000"],
    ["slow", { ms: 1, steps: 0.5 }, "steps must be a whole number from 1 to 10000"],
    ["large", {}, "bytes must be a whole number"],
    ["toggle", { name: "", present: true }, "name must not be empty"],
    ["toggle", { name: "x".repeat(129), present: true }, "name must have at most 128 characters"],
    ["toggle", { name: "x" }, "present must be true or false"],
    ["toggle", { name: "echo", present: true }, "echo is a tool of the fixture"],
    ["content", { vendor: "no" }, "vendor must be true or false"],
    ["content", { kind: "smell" }, "kind must be one of text, image, audio, resource_link, resource, com.example/"],
    ["log", { level: "loud", text: "t" }, "level must be one of debug, info"],
    ["log", { level: "info" }, "text must be a string"],
    ["touch", { uri: "fixture://elsewhere/counter" }, "fixture://elsewhere/counter is no resource of the fixture"],
    ["toggle-prompt", { name: "greeting", present: true }, "greeting is a prompt of the fixture"],
    ["extra_00000", {}, "query must be a string"],
  ])("%s with %j is an isError result that says what is wrong", async (name, args, message) => {
    const { call } = serve({ extraTools: 1 });
    const result = await call(name, args);
    expect(result["isError"]).toBe(true);
    expect(text(result)).toContain(`Invalid arguments: ${message}`);
  });

  test("add adds, fail fails, extra tools answer with their query", async () => {
    const { call } = serve({ extraTools: 1 });
    expect(await call("add", { a: 2, b: 0.5 })).toEqual({
      content: [{ type: "text", text: '{"sum":2.5}' }],
      structuredContent: { sum: 2.5 },
    });
    expect(await call("fail", { message: "no luck" })).toEqual({
      content: [{ type: "text", text: "no luck" }],
      isError: true,
    });
    expect((await call("extra_00000", { query: "q" }))["structuredContent"]).toEqual({
      table: "extra_00000",
      query: "q",
    });
  });

  test.each([
    [0, undefined, 1],
    [100, undefined, 1],
    [100, 100, 1],
    [100, 99, 2],
    [100, 33, 4],
  ])("large gives exactly %d bytes, in blocks of %d", async (bytes, chunkBytes, blocks) => {
    const { call } = serve();
    const result = await call("large", { bytes, ...(chunkBytes === undefined ? {} : { chunkBytes }) });
    const content = result["content"] as { text: string }[];
    expect(content).toHaveLength(blocks);
    const whole = content.map((block) => block.text).join("");
    expect(Buffer.byteLength(whole)).toBe(bytes);
    expect("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n".repeat(2).startsWith(whole)).toBe(true);
  });

  test("content has one block of every type, with an unknown one unless it is declined", async () => {
    const { call } = serve();
    const types = async (args: JsonObject): Promise<string[]> =>
      ((await call("content", args))["content"] as { type: string }[]).map(({ type }) => type);
    const known = ["text", "image", "audio", "resource_link", "resource", "resource"];
    expect(await types({ vendor: false })).toEqual(known);
    expect(await types({})).toEqual([...known, "com.example/hologram"]);
    for (const kind of [...new Set(known), "com.example/hologram"]) {
      expect(new Set(await types({ kind }))).toEqual(new Set([kind]));
    }
    expect(await call("content", { kind: "x-unknown" })).toEqual({
      content: [{ type: "x-unknown", payload: { deep: [null, "ünï", 1.5] }, _meta: { "com.example/kept": true } }],
      _meta: { "com.example/result": { kept: true } },
    });
  });

  test("toggle adds and removes, and says so once for each real change", async () => {
    const { server, call } = serve();
    const changed = vi.fn<() => void>();
    const stop = server.offer.changes.on(changed);
    expect(text(await call("toggle", { name: "new", present: false }))).toBe("new already is as you want it");
    expect(text(await call("toggle", { name: "new", present: true }))).toBe("new added");
    expect(text(await call("toggle", { name: "new", present: true }))).toBe("new already is as you want it");
    expect(text(await call("new"))).toBe("this is new");
    expect(text(await call("toggle", { name: "new", present: false }))).toBe("new removed");
    expect(changed).toHaveBeenCalledTimes(2);
    await expect(call("new")).rejects.toThrow("Unknown tool: new");
    stop();
    await call("toggle", { name: "new", present: true });
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test("slow takes the time it was told, in steps (R17)", async () => {
    const timers = new ManualTime();
    const { server, call } = serve({ timers });
    const result = call("slow", { ms: 900, steps: 3 });
    await timers.advance(899);
    expect(server.offer.calls.inFlight).toBe(1);
    await timers.advance(1);
    expect(text(await result)).toBe("took 900 ms in 3 steps");
  });

  test("all that slow says begins with the label it was given (R22)", async () => {
    const { call } = serve();
    expect(text(await call("slow", { ms: 0, label: "client 7" }))).toBe("client 7: took 0 ms in 1 steps");
    expect(text(await call("slow", { ms: 0, label: 7 }))).toBe("Invalid arguments: label must be a string");
  });

  test("crash is there only where the process may end, and ends it", async () => {
    await expect(serve().call("crash")).rejects.toThrow("Unknown tool: crash");
    const exit = vi.fn<() => void>();
    expect(text(await serve({ exit }).call("crash"))).toBe("still here");
    expect(exit).toHaveBeenCalledOnce();
  });

  test("a fault of ours is an internal error that tells nothing", async () => {
    const { call } = serve({
      exit: () => {
        throw new Error("secret");
      },
    });
    await expect(call("crash")).rejects.toThrow('"code":-32603,"message":"Internal error"');
    await expect(call("crash")).rejects.not.toThrow("secret");
  });
});
