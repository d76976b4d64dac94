import type { JsonObject } from "@cortex-os/mcp-core/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { partOfResources, partOfTools } from "../../__tests__/support/parts.js";
import type { CatalogPart } from "../catalog-part.js";
import type { ListPage } from "../list-pages.js";
import { OwnLists } from "../own-lists.js";

const POLICY = { ttlMs: 300_000, pageSize: 1_000 };

const read = (page: ListPage | undefined): JsonObject => {
  if (page === undefined) throw new Error("there is no such page");
  return JSON.parse(Buffer.concat(page.pieces).toString("utf8")) as JsonObject;
};

describe("the lists of one connector as they are", () => {
  test("keep every name and member, whatever the names of a catalog may hold", () => {
    const tools = [
      { name: "a.b/c d", inputSchema: { type: "object" }, _meta: { ui: { resourceUri: "ui://x/y" } }, "x-own": [1] },
      { name: "n".repeat(200), inputSchema: { type: "object" } },
    ];
    const page = read(new OwnLists(partOfTools("k", tools), POLICY).page("tools", "modern", undefined));
    expect(page).toEqual({ resultType: "complete", tools, ttlMs: 300_000, cacheScope: "public" });
  });

  test("keep URIs, also those that look like our own addresses", () => {
    const uris = ["cortex://other/x%3A1", "ui://app/main.html"];
    const templates = ["cortex://k/{id}"];
    const lists = new OwnLists(partOfResources("k", { uris, templates, prompts: ["p q"] }), POLICY);
    expect(read(lists.page("resources", "legacy", undefined))).toEqual({
      resources: uris.map((uri) => ({ uri, name: uri })),
    });
    expect(read(lists.page("resourceTemplates", "legacy", undefined))).toEqual({
      resourceTemplates: [{ uriTemplate: "cortex://k/{id}", name: "cortex://k/{id}" }],
    });
    expect(read(lists.page("prompts", "legacy", undefined))).toEqual({ prompts: [{ name: "p q" }] });
  });

  test("are sorted and paged as a catalog's are, each entry once", () => {
    const tools = ["c", "a", "b", "a"].map((name) => ({ name, inputSchema: { type: "object" } }));
    const lists = new OwnLists(partOfTools("k", tools), { ...POLICY, pageSize: 2 });
    const first = read(lists.page("tools", "legacy", undefined));
    const second = read(lists.page("tools", "legacy", first["nextCursor"] as string));
    const names = [first, second].flatMap(({ tools: page }) => (page as JsonObject[]).map(({ name }) => name));
    expect(names).toEqual(["a", "b", "c"]);
    expect(second["nextCursor"]).toBeUndefined();
    expect(lists.page("tools", "legacy", "!")).toBeUndefined();
  });

  test("carry that connector's hints alone, each list its own", () => {
    const part: CatalogPart = {
      key: "k",
      lists: {
        tools: { entries: [], ttlMs: 5, cacheScope: "private" },
        prompts: { entries: [], ttlMs: 900_000_000 },
      },
    };
    const lists = new OwnLists(part, POLICY);
    expect(read(lists.page("tools", "modern", undefined))).toMatchObject({ ttlMs: 5, cacheScope: "private" });
    expect(read(lists.page("prompts", "modern", undefined))).toMatchObject({ ttlMs: 300_000, cacheScope: "public" });
    expect([lists.has("tools"), lists.has("resources")]).toEqual([true, false]);
  });

  test("a tool that a legacy client would refuse the list for is shown to it without what it refuses", () => {
    const tool = { name: "t", inputSchema: { type: "object" }, outputSchema: { type: "array" } };
    const lists = new OwnLists(partOfTools("k", [tool]), POLICY);
    expect(read(lists.page("tools", "modern", undefined))).toMatchObject({ tools: [tool] });
    expect(read(lists.page("tools", "legacy", undefined))).toEqual({
      tools: [{ name: "t", inputSchema: { type: "object" } }],
    });
  });

  test("the same part gives the same bytes, in whatever order the upstream lists (R23)", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 }), (names) => {
        const bytes = (order: readonly string[]): string => {
          const tools = order.map((name) => ({ name, inputSchema: { type: "object" } }));
          const page = new OwnLists(partOfTools("k", tools), POLICY).page("tools", "modern", undefined);
          return Buffer.concat(page?.pieces ?? []).toString("utf8");
        };
        expect(bytes(names.toReversed())).toBe(bytes(names));
      }),
    );
  });

  test("say of which features a client has to list again; another hint is no reason to", () => {
    const [one, other] = [partOfTools("k", [{ name: "a" }]), partOfTools("k", [{ name: "a" }], { ttlMs: 1 })];
    const gone: CatalogPart = { key: "k", lists: { prompts: { entries: [] } } };
    const lists = (part: CatalogPart): OwnLists => new OwnLists(part, POLICY);
    expect([...lists(other).changesSince(lists(one))]).toEqual([]);
    expect([...lists(gone).changesSince(lists(one))]).toEqual(["tools", "prompts"]);
  });
});
