import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import type { SurfaceClient } from "./surface-clients.js";

/** Where an operation is tried. */
export interface Trial {
  readonly client: SurfaceClient;
  /** The upstream's name in the registry, and in its resources' URIs. */
  readonly upstream: string;
}

const tool = ({ upstream }: Trial, name: string): string => `${upstream}__${name}`;
const uri = ({ upstream }: Trial, path: string): string => `fixture://${upstream}/${path}`;

/** Every page of a list, in the order in which they came. */
async function all<T>(
  page: (cursor: string | undefined) => Promise<{ entries: T[]; next: string | undefined }>,
): Promise<{
  readonly entries: readonly T[];
  readonly pages: number;
}> {
  const entries: T[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const { entries: more, next } = await page(cursor);
    entries.push(...more);
    pages += 1;
    cursor = next;
  } while (cursor !== undefined);
  return { entries, pages };
}

const list = async (
  { client }: Trial,
  method: string,
  member: string,
): ReturnType<typeof all<Record<string, unknown>>> =>
  all(async (cursor) => {
    const result = await client.raw(method, cursor === undefined ? {} : { cursor });
    const next = result["nextCursor"];
    return {
      entries: result[member] as Record<string, unknown>[],
      next: typeof next === "string" ? next : undefined,
    };
  });

const called = async ({ client }: Trial, name: string, args: object): Promise<Record<string, unknown>> =>
  client.client.callTool({ name, arguments: { ...args } });

const heardOf = ({ client }: Trial, method: string): number =>
  client.heard.filter((each) => each.method === method).length;

/** Everything a client has a method for, one thing each. Each throws when it does not work. */
export const SURFACE_OPERATIONS: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  discover: async ({ client: { client } }) => {
    expect(client.getServerVersion()).toMatchObject({ name: "cortex-mcp" });
    const capabilities = client.getServerCapabilities();
    expect(Object.keys(capabilities ?? {}).toSorted()).toEqual([
      "completions",
      "logging",
      "prompts",
      "resources",
      "tools",
    ]);
  },
  ping: async ({ client }) => {
    // The modern era has none, and its SDK does not even ask.
    if (client.era === "legacy") expect(await client.raw("ping", {})).toEqual({});
    else await expect(client.wire("ping", {})).rejects.toThrow("-32601");
  },
  "tools/list": async (trial) => {
    const { entries, pages } = await list(trial, "tools/list", "tools");
    const names = entries.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([tool(trial, "echo"), tool(trial, "log")]));
    expect(new Set(names).size).toBe(names.length);
    expect(pages).toBeGreaterThan(1);
  },
  "tools/call": async (trial) => {
    const result = await called(trial, tool(trial, "echo"), { message: "ünïcödé ✓" });
    expect(result).toMatchObject({ content: [{ text: "ünïcödé ✓" }], structuredContent: { message: "ünïcödé ✓" } });
  },
  "every content type": async (trial) => {
    const result = await trial.client.wire("tools/call", { name: tool(trial, "content"), arguments: {} });
    const content = result["content"] as { type: string }[];
    const types = content.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["text", "image", "audio", "resource_link", "resource"]));
    expect(types).toContain("com.example/hologram");
    expect(result["_meta"]).toBeDefined();
  },
  isError: async (trial) => {
    expect(await called(trial, tool(trial, "fail"), { message: "no" })).toMatchObject({ isError: true });
  },
  "unknown tool": async (trial) => {
    const asked = trial.client.raw("tools/call", { name: tool(trial, "none"), arguments: {} });
    await expect(asked).rejects.toMatchObject({ code: -32_602 });
  },
  progress: async (trial) => {
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    const { client } = trial.client;
    const call = { name: tool(trial, "slow"), arguments: { ms: 120, steps: 3 } };
    if ("getProtocolEra" in client) await client.callTool(call, { onprogress });
    else await client.callTool(call, undefined, { onprogress });
    expect(heard).toEqual([1, 2, 3]);
  },
  cancel: async (trial) => {
    const counts = async (): Promise<{ cancelled: number; inFlight: number }> => {
      const { structuredContent } = await called(trial, tool(trial, "cancelled"), {});
      return structuredContent as { cancelled: number; inFlight: number };
    };
    const before = await counts();
    const abort = new AbortController();
    const { client } = trial.client;
    const call = { name: tool(trial, "slow"), arguments: { ms: 600_000, steps: 1 } };
    const options = { signal: abort.signal };
    const calling =
      "getProtocolEra" in client ? client.callTool(call, options) : client.callTool(call, undefined, options);
    const outcome = expect(calling).rejects.toThrow(/changed my mind|abort/i);
    await vi.waitFor(async () => expect((await counts()).inFlight).toBe(before.inFlight + 1), 5_000);
    abort.abort("changed my mind");
    await outcome;
    await vi.waitFor(async () => expect((await counts()).cancelled).toBe(before.cancelled + 1), 5_000);
  },
  _meta: async (trial) => {
    const _meta = { "com.example/trace": "t-1" };
    const result = await trial.client.raw("tools/call", { name: tool(trial, "whoami"), arguments: {}, _meta });
    expect(JSON.stringify(result["structuredContent"])).toContain('"com.example/trace":"t-1"');
  },
  "resources/list": async (trial) => {
    const { entries } = await list(trial, "resources/list", "resources");
    const uris = entries.map((entry) => entry["uri"]);
    expect(uris).toEqual(expect.arrayContaining(["hello", "pair", "pixel"].map((path) => uri(trial, path))));
  },
  "resources/templates/list": async (trial) => {
    const { entries } = await list(trial, "resources/templates/list", "resourceTemplates");
    expect(entries.map(({ uriTemplate }) => uriTemplate)).toContain(uri(trial, "item/{id}"));
  },
  "resources/read": async (trial) => {
    const { client } = trial.client;
    expect((await client.readResource({ uri: uri(trial, "pixel") })).contents).toMatchObject([
      { mimeType: "image/png" },
    ]);
    expect((await client.readResource({ uri: uri(trial, "item/7") })).contents).toMatchObject([
      { text: `item 7 of ${trial.upstream}` },
    ]);
    const pair = await trial.client.raw("resources/read", { uri: uri(trial, "pair") });
    expect(pair["contents"]).toHaveLength(2);
    expect(pair["ttlMs"] === undefined).toBe(trial.client.era === "legacy");
  },
  "unknown resource": async (trial) => {
    const asked = trial.client.raw("resources/read", { uri: uri(trial, "nowhere") });
    await expect(asked).rejects.toMatchObject({ code: trial.client.era === "modern" ? -32_602 : expect.any(Number) });
  },
  "resources/updated": async (trial) => {
    const counter = uri(trial, "counter");
    const method = "notifications/resources/updated";
    const stop = await trial.client.listen({ resources: [counter] });
    const before = heardOf(trial, method);
    await called(trial, tool(trial, "touch"), {});
    await vi.waitFor(() => expect(heardOf(trial, method)).toBe(before + 1), 5_000);
    expect(trial.client.heard.findLast((each) => each.method === method)?.params).toMatchObject({ uri: counter });
    await stop();
  },
  "prompts/list": async (trial) => {
    const { entries } = await list(trial, "prompts/list", "prompts");
    expect(entries.map(({ name }) => name)).toEqual(
      expect.arrayContaining([tool(trial, "greeting"), tool(trial, "picture")]),
    );
  },
  "prompts/get": async (trial) => {
    const { client } = trial.client;
    const greeting = await client.getPrompt({ name: tool(trial, "greeting"), arguments: { name: "Ada" } });
    expect(greeting.messages[0]).toMatchObject({ content: { text: "Write a friendly greeting for Ada." } });
    expect((await client.getPrompt({ name: tool(trial, "picture") })).messages).toHaveLength(2);
    await expect(trial.client.raw("prompts/get", { name: tool(trial, "none") })).rejects.toMatchObject({
      code: -32_602,
    });
  },
  "completion/complete": async (trial) => {
    const { client } = trial.client;
    const { completion } = await client.complete({
      ref: { type: "ref/prompt", name: tool(trial, "greeting") },
      argument: { name: "tone", value: "f" },
      context: { arguments: { name: "Dr. Curie" } },
    });
    expect(completion).toMatchObject({ values: ["formal"], total: 1 });
    const ids = await client.complete({
      ref: { type: "ref/resource", uri: uri(trial, "item/{id}") },
      argument: { name: "id", value: "00" },
    });
    expect(ids.completion.values).toContain("001");
  },
  logging: async (trial) => {
    const text = randomUUID();
    await trial.client.callLogging(tool(trial, "log"), { level: "warning", text });
    const said = (): boolean =>
      trial.client.heard.some(({ method, params }) => method === "notifications/message" && params["data"] === text);
    await vi.waitFor(() => expect(said()).toBe(true), 5_000);
  },
  list_changed: async (trial) => {
    const name = `n${randomUUID().slice(0, 8)}`;
    const stop = await trial.client.listen({ lists: true });
    for (const [toggle, method, of, member] of [
      ["toggle", "tools/list", "tools", "name"],
      ["toggle-resource", "resources/list", "resources", "name"],
      ["toggle-prompt", "prompts/list", "prompts", "name"],
    ] as const) {
      const notice = `notifications/${of}/list_changed`;
      for (const present of [true, false]) {
        const before = heardOf(trial, notice);
        await called(trial, tool(trial, toggle), { name, present });
        await vi.waitFor(() => expect(heardOf(trial, notice)).toBeGreaterThan(before), 10_000);
        const { entries } = await list(trial, method, of);
        expect(entries.some((entry) => String(entry[member]).endsWith(name))).toBe(present);
      }
    }
    await stop();
  },
  "vendor method": async (trial) => {
    // It goes to the connector whose tool it names.
    const params = { name: tool(trial, "echo"), "x-own": { deep: [1, null] } };
    const result = await trial.client.raw("fixture/echo", params);
    expect(result["params"]).toMatchObject({ name: "echo", "x-own": { deep: [1, null] } });
  },
};
