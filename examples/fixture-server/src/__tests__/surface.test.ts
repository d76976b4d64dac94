import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import type { FixtureHttpOptions } from "../http/start-fixture-http.js";
import {
  errorOf,
  json,
  legacy,
  messagesOf,
  META_FIELDS,
  modern,
  openSession,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();
const BASE = "fixture://cortex-fixture";

/** Asks in one era, and gives the whole answer. */
type Ask = (method: string, params?: JsonObject) => Promise<JsonObject>;

async function asking(era: string, options: FixtureHttpOptions = {}): Promise<Ask> {
  const { url } = await start(options);
  if (era === "modern") return async (method, params) => json(await modern(url, method, params));
  const session = await openSession(url);
  return async (method, params = {}) => json(await legacy(url, { id: 1, method, params }, session));
}

const result = (answer: JsonObject): JsonObject => answer["result"] as JsonObject;
const code = (answer: JsonObject): unknown => (answer["error"] as JsonObject)["code"];

describe.each(["modern", "legacy"])("the surface in the %s era (R22)", (era) => {
  test.each([
    ["resources/list", "resources", 6 + 3 + 1, { extraResources: 3, commonResources: true }],
    ["resources/templates/list", "resourceTemplates", 1, {}],
    ["prompts/list", "prompts", 3, {}],
  ])("%s gives each entry once, in order, over pages", async (method, member, count, options) => {
    const ask = await asking(era, { ...options, pageSize: 1 });
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = result(await ask(method, cursor === undefined ? {} : { cursor }));
      expect(page[member]).toHaveLength(1);
      if (era === "modern") expect(page).toMatchObject({ ttlMs: 60_000, cacheScope: "public" });
      else expect(page).not.toHaveProperty("ttlMs");
      names.push(...(page[member] as { uri?: string; name: string }[]).map(({ uri, name }) => uri ?? name));
      cursor = page["nextCursor"] as string | undefined;
    } while (cursor !== undefined);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(count);
    expect(code(await ask(method, { cursor: "!" }))).toBe(-32_602);
  });

  test("resources/read gives text, bytes and several contents, with members nobody knows", async () => {
    const ask = await asking(era, { commonResources: true });
    const read = async (uri: string): Promise<unknown> => result(await ask("resources/read", { uri }))["contents"];
    const text = (uri: string, content: string): object[] => [{ uri, mimeType: "text/plain", text: content }];
    expect(await read(`${BASE}/hello`)).toEqual(text(`${BASE}/hello`, "hello from cortex-fixture"));
    expect(await read(`${BASE}/pixel`)).toEqual([
      { uri: `${BASE}/pixel`, mimeType: "image/png", blob: expect.stringMatching(/^iVBOR/) as string },
    ]);
    const pair = result(await ask("resources/read", { uri: `${BASE}/pair` }));
    expect(pair).toMatchObject({
      contents: [
        { "x-extra": { kept: [1, null, "two"] } },
        { blob: "AAEC/w==", _meta: { "com.example/content": "kept" } },
      ],
      "x-result": { kept: true },
    });
    const shared = "fixture://common/shared";
    expect(await read(shared)).toEqual(text(shared, "shared, as cortex-fixture has it"));
    expect(await read(`${BASE}/item/a%20b`)).toEqual(text(`${BASE}/item/a%20b`, "item a b of cortex-fixture"));
    await ask("tools/call", { name: "touch", arguments: {} });
    expect(await read(`${BASE}/counter`)).toEqual(text(`${BASE}/counter`, "1"));
  });

  test("an unknown resource has its era's code, and says which", async () => {
    const ask = await asking(era);
    for (const uri of [
      "fixture://elsewhere/hello",
      `${BASE}/item/`,
      `${BASE}/item/a/b`,
      `${BASE}/item/%ff`,
      "constructor",
    ]) {
      const answer = await ask("resources/read", { uri });
      expect(answer["error"]).toEqual({
        code: era === "modern" ? -32_602 : -32_002,
        message: "Resource not found",
        data: { uri },
      });
    }
    if (era === "legacy") expect(code(await ask("resources/read", { uri: 7 }))).toBe(-32_602);
  });

  test("prompts/get fills its arguments in, and refuses what it cannot use", async () => {
    const ask = await asking(era);
    const get = async (name: string, args?: JsonObject): Promise<JsonObject> =>
      ask("prompts/get", { name, ...(args === undefined ? {} : { arguments: args }) });
    const greeting = result(await get("greeting", { name: "Ada", tone: "funny" }));
    expect(greeting["messages"]).toEqual([
      { role: "user", content: { type: "text", text: "Write a funny greeting for Ada." } },
      { role: "assistant", content: { type: "text", text: "A funny greeting for Ada:" } },
    ]);
    expect(result(await get("picture"))["messages"]).toMatchObject([
      { content: { type: "image", mimeType: "image/png" } },
      { content: { type: "resource", resource: { uri: `${BASE}/hello`, "x-extra": { kept: true } } } },
    ]);
    expect(result(await get("greeting", { name: "Ada" }))["description"]).toBe("A friendly greeting");
    for (const refused of [
      get("nobody"),
      get("greeting"),
      get("greeting", { tone: "funny" }),
      get("greeting", { name: 7 }),
    ]) {
      expect(code(await refused)).toBe(-32_602);
    }
    expect(code(await ask("prompts/get", { name: "greeting", arguments: [] }))).toBe(-32_602);
  });

  test("completion/complete knows prompts and templates, and takes the context into account", async () => {
    const ask = await asking(era);
    const complete = async (ref: JsonObject, name: string, value: string, args?: JsonObject): Promise<JsonObject> =>
      ask("completion/complete", {
        ref,
        argument: { name, value },
        ...(args === undefined ? {} : { context: { arguments: args } }),
      });
    const values = async (...of: Parameters<typeof complete>): Promise<unknown> =>
      result(await complete(...of))["completion"];
    const greeting = { type: "ref/prompt", name: "greeting" };
    const item = { type: "ref/resource", uri: `${BASE}/item/{id}` };
    const few = (...found: string[]): object => ({ values: found, total: found.length, hasMore: false });
    expect(await values(greeting, "tone", "f")).toEqual(few("friendly", "formal", "funny"));
    expect(await values(greeting, "tone", "fo")).toEqual(few("formal"));
    expect(await values(greeting, "tone", "f", { name: "Dr. Curie" })).toEqual(few("formal"));
    expect(await values(greeting, "name", "A")).toEqual(few("Ada", "Alan"));
    expect(await values(greeting, "other", "")).toEqual(few());
    expect(await values({ type: "ref/prompt", name: "picture" }, "tone", "")).toEqual(few());
    expect(await values(item, "id", "14")).toMatchObject({ total: 10, hasMore: false });
    expect(await values(item, "other", "")).toEqual(few());
    const many = (await values(item, "id", "")) as JsonObject;
    expect(many).toMatchObject({ total: 150, hasMore: true });
    expect(many["values"]).toHaveLength(100);
    for (const ref of [
      { type: "ref/prompt", name: "nobody" },
      { type: "ref/resource", uri: `${BASE}/hello` },
      {},
      { type: "ref/tool" },
    ]) {
      expect(code(await complete(ref, "a", ""))).toBe(-32_602);
    }
    expect(code(await ask("completion/complete", { ref: greeting }))).toBe(-32_602);
    expect(code(await ask("completion/complete", { ref: greeting, argument: { name: "tone" } }))).toBe(-32_602);
  });

  test("a method of a vendor gives its parameters back, as they came", async () => {
    const ask = await asking(era);
    const params = { a: [1, { b: null }], ...(era === "modern" ? {} : { _meta: { "com.example/m": 1 } }) };
    const received = era === "modern" ? { ...params, _meta: META_FIELDS } : params;
    expect(result(await ask("fixture/echo", params))["params"]).toEqual(received);
  });

  test("another one refuses with the very error that it was given", async () => {
    const ask = await asking(era);
    const error = { code: 4_711, message: "no", data: [null, { deep: true }] };
    expect(await ask("fixture/refuse", error)).toMatchObject({ error });
    expect(code(await ask("fixture/refuse", { code: "no" }))).toBe(-32_602);
  });

  test("what is switched off is neither declared, nor implemented, nor touched by a tool", async () => {
    const features = { resources: false, prompts: false, completions: false, logging: false };
    const ask = await asking(era, { features });
    const methods = [
      ...["resources/list", "resources/templates/list", "resources/read", "prompts/list", "prompts/get"],
      ...["completion/complete", "logging/setLevel", "resources/subscribe"],
    ];
    for (const method of methods) {
      // A modern request names in a header what it reads or gets.
      expect(
        code(await ask(method, { uri: "u", ...(method === "prompts/get" ? { name: "u" } : {}), level: "info" })),
      ).toBe(-32_601);
    }
    const names = (result(await ask("tools/list"))["tools"] as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(["add", "ask", "cancelled", "content", "echo", "fail", "large", "slow", "toggle", "whoami"]);
  });
});

describe("capabilities", () => {
  test.each([
    [{ resources: false }, ["completions", "logging", "prompts", "tools"]],
    [{ prompts: false, completions: false }, ["logging", "resources", "tools"]],
    [{ resources: false, prompts: false, completions: false, logging: false }, ["tools"]],
  ])("without %j there are %j", async (features, left) => {
    const { url } = await start({ features });
    const { capabilities } = resultOf(await modern(url, "server/discover"));
    expect(Object.keys(capabilities as JsonObject).toSorted()).toEqual(left);
  });

  test("a changing resource is none to be kept; the others hold as long as lists do", async () => {
    const { url } = await start({ ttlMs: 5 });
    const ttl = async (path: string): Promise<unknown> =>
      resultOf(await modern(url, "resources/read", { uri: `${BASE}/${path}` }))["ttlMs"];
    expect([await ttl("counter"), await ttl("hello"), await ttl("item/1")]).toEqual([0, 5, 5]);
  });

  test("resources of servers of different names do not collide, but for the common one", async () => {
    const uris = async (name: string): Promise<string[]> => {
      const { url } = await start({ name, commonResources: true });
      const { resources } = resultOf(await modern(url, "resources/list"));
      return (resources as { uri: string }[]).map(({ uri }) => uri);
    };
    const [one, two] = [await uris("one"), await uris("two & more")];
    expect(one.filter((uri) => two.includes(uri))).toEqual(["fixture://common/shared"]);
    expect(two).toContain("fixture://two%20%26%20more/hello");
  });
});

describe("log messages of the tool log", () => {
  const log = { name: "log", arguments: { level: "warning", text: "careful" } };
  const message = { method: "notifications/message", params: { level: "warning", logger: "fixture", data: "careful" } };

  test("come ahead of the result for a modern request that asks for them", async () => {
    const { url } = await start();
    const asked = { ...META_FIELDS, "io.modelcontextprotocol/logLevel": "warning" };
    const [first, last] = messagesOf((await modern(url, "tools/call", { ...log, _meta: asked })).text);
    expect(first).toMatchObject(message);
    expect(last).toMatchObject({ result: { content: [{ text: "logged" }] } });
    expect((await modern(url, "tools/call", log)).headers["content-type"]).toBe("application/json");
  });

  test("come to the legacy session that set its level, and to no other", async () => {
    const { url } = await start();
    const [loud, quiet] = [await openSession(url), await openSession(url)];
    await legacy(url, { id: 1, method: "logging/setLevel", params: { level: "info" } }, loud);
    const call = { id: 2, method: "tools/call", params: log };
    expect(messagesOf((await legacy(url, call, loud)).text)[0]).toMatchObject(message);
    expect((await legacy(url, call, quiet)).headers["content-type"]).toBe("application/json");
  });

  test("never come from a server without logging, also when a request asks for a level", async () => {
    const { url } = await start({ features: { logging: false } });
    const asked = { ...META_FIELDS, "io.modelcontextprotocol/logLevel": "debug" };
    const answer = await modern(url, "tools/call", { name: "slow", arguments: { ms: 0 }, _meta: asked });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(errorOf(await modern(url, "tools/call", log))["message"]).toBe("Unknown tool: log");
  });
});

test.each([
  ["hello", 60_000, "public"],
  ["item/7", 60_000, "public"],
  ["pixel", 3_600_000, "public"],
  ["private", 60_000, "private"],
  ["counter", 0, "public"],
])("a modern read of %s may be kept %i ms, %s (R22)", async (name, ttlMs, cacheScope) => {
  const ask = await asking("modern");
  expect(result(await ask("resources/read", { uri: `${BASE}/${name}` }))).toMatchObject({ ttlMs, cacheScope });
});
