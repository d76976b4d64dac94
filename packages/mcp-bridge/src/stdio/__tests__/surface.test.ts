import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { ALL, serverOf } from "./surface.js";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  MODERN_CALLER,
  RecordingSink,
  until,
} from "./support.js";

afterEach(closeLinks);
afterAll(() => expectNoProcessLeft());

const UPDATED = "notifications/resources/updated";
const said = (method: string, params: JsonObject = {}): JsonObject => ({ jsonrpc: "2.0", method, params });

describe("what a child that all share tells (R22)", () => {
  test("a legacy one: changes of every list, of resources, and what nobody here knows", async () => {
    const { says, changed, told, link } = await serverOf("legacy");
    expect(link.hearsChanges).toBe(true);
    await says([
      { method: "notifications/prompts/list_changed" },
      { method: "notifications/resources/list_changed" },
      { method: UPDATED, params: { uri: "a:1" } },
      { method: "notifications/com.example/x", params: { _meta: { "a/b": 1 }, strange: [null] } },
      { method: "notifications/cancelled", params: { requestId: 1 } },
      { method: "notifications/progress", params: { progressToken: 99, progress: 1 } },
    ]);
    expect(changed).toEqual(["prompts", "resources"]);
    expect(told).toEqual([
      [said(UPDATED, { uri: "a:1" })],
      [said("notifications/com.example/x", { _meta: { "a/b": 1 }, strange: [null] })],
    ]);
  });

  test("a modern one: what its subscription brings, and what nobody here knows", async () => {
    const { says, changed, told, link } = await serverOf("modern");
    await until(() => link.hearsChanges);
    const changes = [
      { method: "notifications/prompts/list_changed" },
      { method: UPDATED, params: { uri: "a:1" } },
      { method: "notifications/message", params: { level: "error" } },
    ];
    await says([...changes, { method: "notifications/com.example/x", params: { strange: 1 } }]);
    expect(changed).toEqual([]);
    await says(changes.slice(0, 2), { toSubscribers: true });
    expect(changed).toEqual(["prompts"]);
    expect(told).toEqual([[said("notifications/com.example/x", { strange: 1 })], [said(UPDATED, { uri: "a:1" })]]);
  });

  test.each([
    ["legacy", { tools: { listChanged: true }, prompts: {} }],
    ["modern", { tools: { listChanged: true }, prompts: {} }],
    ["modern", { tools: {} }],
    ["legacy", {}],
  ] as const)("would not be heard whole of a %s server with %o", async (era, capabilities) => {
    const { link, asked } = await serverOf(era, capabilities);
    await asked("ping");
    expect(link.hearsChanges).toBe(false);
  });
});

describe("subscriptions to resources (R22)", () => {
  test("a legacy server is asked for each, and its refusal is told with its code", async () => {
    const { link, asked } = await serverOf("legacy");
    await link.subscribe("a:1");
    await link.unsubscribe("a:1");
    await expect(link.subscribe("refused:1")).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      data: { upstreamCode: -32_002 },
    });
    expect(await asked("resources/subscribe")).toEqual([{ uri: "a:1" }, { uri: "refused:1" }]);
    expect(await asked("resources/unsubscribe")).toEqual([{ uri: "a:1" }]);
  });

  test("a modern server is listened to anew, and told that the old subscription is over", async () => {
    const { link, under, asked, says, told } = await serverOf("modern");
    await until(() => link.hearsChanges);
    const refused = expect(link.subscribe("refused:1")).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
    await Promise.all([link.subscribe("a:1"), link.subscribe("b:1"), refused]);
    const lists = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true };
    expect((await asked("subscriptions/listen")).map((params) => params["notifications"])).toEqual([
      lists,
      { ...lists, resourceSubscriptions: ["refused:1", "a:1", "b:1"] },
    ]);
    await says([{ method: UPDATED, params: { uri: "a:1" } }], { toSubscribers: true });
    expect(told).toEqual([[said(UPDATED, { uri: "a:1" })]]);
    await link.unsubscribe("b:1");
    await until(async () => (await asked("subscriptions/listen")).length === 3);
    const { text: seen } = await callTool(under, "seen");
    expect(JSON.parse(seen)).toContainEqual({
      cancelled: { requestId: expect.any(Number) },
      was: "subscriptions/listen",
    });
    expect((await asked("subscriptions/listen"))[2]).toMatchObject({
      notifications: { resourceSubscriptions: ["a:1"] },
    });
  });

  test("after a gap in listening the resources count as changed, as the lists do", async () => {
    const { link, under, told, changed } = await serverOf("modern");
    await link.subscribe("a:1");
    const sink = new RecordingSink();
    link.send(
      { id: 1, method: "tools/call", params: { name: "endListening", arguments: {} }, caller: LEGACY_CALLER },
      sink,
    );
    await sink.settled;
    await until(() => told.length > 0);
    expect(told).toEqual([[said(UPDATED, { uri: "a:1" })]]);
    expect(changed).toEqual(["tools", "resources", "prompts"]);
    expect(under.lost).toEqual([]);
  });

  test.each(["legacy", "modern"] as const)(
    "a %s server without them is not asked; nor is a link that is not open",
    async (era) => {
      const { link, asked } = await serverOf(era, { tools: {} });
      await expect(link.subscribe("a:1")).rejects.toMatchObject({ data: { upstreamCode: -32_601 } });
      await link.unsubscribe("a:1");
      expect([await asked("resources/subscribe"), await asked("subscriptions/listen")]).toEqual([[], []]);
      await link.close();
      await expect(link.subscribe("a:1")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
      await link.unsubscribe("a:1");
    },
  );

  test("what a client's own child says of a resource is told with the session; of lists, not at all", async () => {
    const { link, says, told, changed, asked } = await serverOf("legacy", ALL, { isolation: "session" });
    await link.subscribe("a:1");
    expect(await asked("resources/subscribe")).toEqual([]);
    await says([{ method: UPDATED, params: { uri: "a:1" } }, { method: "notifications/tools/list_changed" }]);
    expect(told).toEqual([[said(UPDATED, { uri: "a:1" }), "s1"]]);
    expect(changed).toEqual([]);
  });
});

describe("what only a gateway may say to its relays", () => {
  test("is not passed on when an upstream says it: a forged farewell would have calls carried out twice", async () => {
    const { says, told } = await serverOf("legacy");
    await says([{ method: "notifications/cortex-mcp/farewell" }, { method: "notifications/vendor" }]);
    expect(told).toMatchObject([[{ method: "notifications/vendor" }]]);
  });
});

describe("any method (R22)", () => {
  test.each(["legacy", "modern"] as const)(
    "reaches a %s server and comes back, in both eras, with all that is strange",
    async (era) => {
      const { link } = await serverOf(era);
      for (const caller of [LEGACY_CALLER, MODERN_CALLER]) {
        const meta: JsonObject = { "com.example/x": [1, { y: null }], progressToken: "mine" };
        const own: JsonObject = caller.era === "modern" ? { [META.protocolVersion]: "2026-07-28" } : {};
        const [vendor, read] = [new RecordingSink(), new RecordingSink()];
        link.send(
          {
            id: "v",
            method: "com.example/vendor",
            params: { deep: [{ er: true }], _meta: { ...meta, ...own } },
            caller,
          },
          vendor,
        );
        link.send({ id: "r", method: "resources/read", params: { uri: "a:1", extra: 1 }, caller }, read);
        await Promise.all([vendor.settled, read.settled]);
        expect(vendor.response).toMatchObject({
          id: "v",
          result: { params: { deep: [{ er: true }], _meta: { "com.example/x": [1, { y: null }] } } },
        });
        expect(vendor.notifications).toEqual([
          said("notifications/progress", { progressToken: "mine", progress: 1, strange: [1] }),
        ]);
        expect(read.response).toMatchObject({
          id: "r",
          result: { contents: [{ uri: "a:1", strange: true }], params: { extra: 1 } },
        });
        const isOwed = era === "legacy" && caller.era === "modern";
        expect(read.response).toHaveProperty(
          "result",
          isOwed ? expect.objectContaining({ ttlMs: 0 }) : expect.not.objectContaining({ ttlMs: 0 }),
        );
      }
    },
  );
});
