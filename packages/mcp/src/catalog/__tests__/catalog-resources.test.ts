import type { JsonObject, ListKind } from "@cortex-os/mcp-core/wire";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { partOfResources, partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import { Catalog, DEFAULT_CATALOG_POLICY } from "../catalog.js";

function read(catalog: Catalog, kind: ListKind, cursor?: string): JsonObject {
  const page = catalog.page(kind, "modern", cursor);
  if (page === undefined) throw new Error("no such page");
  return JSON.parse(Buffer.concat(page.pieces).toString("utf8")) as JsonObject;
}
const cursorOf = (page: JsonObject): string | undefined => page["nextCursor"] as string | undefined;
const listed = (catalog: Catalog, kind: ListKind, member: string): unknown[] =>
  (read(catalog, kind)[kind] as JsonObject[]).map((entry) => entry[member]);

describe("resources in the catalog (R22)", () => {
  const catalog = new Catalog([
    partOfResources("b", { uris: ["x:shared", "x:b"], templates: ["x:t/{id}", "y:b/{id}"] }),
    partOfResources("a", { uris: ["x:shared", "x:a", "x:a"], templates: ["x:t/{id}"] }),
  ]);

  test("keep their URI; only those that two connectors have are listed with whose they are", () => {
    expect(listed(catalog, "resources", "uri")).toEqual([
      "cortex://a/x%3Ashared",
      "cortex://b/x%3Ashared",
      "x:a",
      "x:b",
    ]);
  });

  test("so do templates, what is to be filled in left as it is", () => {
    expect(listed(catalog, "resourceTemplates", "uriTemplate")).toEqual([
      "cortex://a/x%3At%2F{id}",
      "cortex://b/x%3At%2F{id}",
      "y:b/{id}",
    ]);
  });

  test("fields that nobody knows are kept, and one without a URI is left out", () => {
    const part = { key: "a", lists: { resources: { entries: [{ uri: "x:1", "x-own": [1] }, { name: "none" }] } } };
    expect(read(new Catalog([part]), "resources")["resources"]).toEqual([{ uri: "x:1", "x-own": [1] }]);
  });

  test.each<[string, string, object]>([
    ["one that is listed", "x:a", { ok: true, connector: "a", uri: "x:a" }],
    ["one that two have", "x:shared", { ok: false, candidates: ["a", "b"] }],
    ["one of ours", "cortex://b/x%3Ashared", { ok: true, connector: "b", uri: "x:shared" }],
    ["one of ours that is not listed", "cortex://b/z%3Aelse", { ok: true, connector: "b", uri: "z:else" }],
    ["one of a template of ours", "cortex://a/x%3At%2F4%202", { ok: true, connector: "a", uri: "x:t/4%202" }],
    ["one of ours for nobody", "cortex://c/x%3Aa", { ok: false, candidates: [] }],
    ["one of ours that is no URI", "cortex://a/%zz", { ok: false, candidates: [] }],
    ["one that one template makes", "y:b/7", { ok: true, connector: "b", uri: "y:b/7" }],
    ["one that two templates make", "x:t/7", { ok: false, candidates: ["a", "b"] }],
    ["one of a scheme that one has", "Y:anything", { ok: true, connector: "b", uri: "Y:anything" }],
    ["one of a scheme that two have", "x:else", { ok: false, candidates: ["a", "b"] }],
    ["one of a scheme that nobody has", "q:else", { ok: false, candidates: ["a", "b"] }],
    ["what is no URI", "hello", { ok: false, candidates: ["a", "b"] }],
  ])("a read is resolved: %s", (_what, uri, expected) => {
    expect(catalog.resolve(uri)).toEqual(expected);
  });

  test("a connector that lists an address of ours does not get what is asked of another one by it", () => {
    const address = "cortex://good/x%3Ashared";
    const shared = new Catalog([
      partOfResources("good", { uris: ["x:shared"] }),
      partOfResources("other", { uris: ["x:shared"] }),
      partOfResources("evil", { uris: [address], templates: ["cortex://good/{id}"] }),
    ]);
    expect(shared.resolve(address)).toEqual({ ok: true, connector: "good", uri: "x:shared" });
    const own = `cortex://evil/${encodeURIComponent(address)}`;
    expect(listed(shared, "resources", "uri")).toEqual([own, address, "cortex://other/x%3Ashared"]);
    expect(shared.resolve(own)).toEqual({ ok: true, connector: "evil", uri: address });
    expect(shared.resolveTemplate("cortex://good/{id}")).toMatchObject({ connector: "evil" });
    expect(listed(shared, "resourceTemplates", "uriTemplate")).toEqual(["cortex://evil/cortex%3A%2F%2Fgood%2F{id}"]);
  });

  test("a template that leaves the scheme open does not draw other connectors' resources to it", () => {
    const open = new Catalog([
      partOfResources("notes", { uris: ["notes:1"] }),
      partOfResources("any", { templates: ["{+uri}"] }),
    ]);
    expect(open.resolve("notes:2")).toEqual({ ok: true, connector: "notes", uri: "notes:2" });
    expect(new Catalog([partOfResources("any", { templates: ["{+uri}"] })]).resolve("q:1")).toMatchObject({
      connector: "any",
    });
  });

  test("URIs that differ in halves of surrogate pairs only, and that others have as well, have one address: they are left out, and it is said", () => {
    const both = { uris: ["x:\ud800", "x:\ud801"], templates: ["t:\ud800{id}", "t:\ud801{id}"] };
    const meeting = new Catalog([partOfResources("a", both), partOfResources("b", both)]);
    expect([meeting.size("resources"), meeting.size("resourceTemplates")]).toEqual([0, 0]);
    expect(meeting.resourceCollisions.map(({ name }) => name)).toEqual([
      "cortex://a/x%3A%EF%BF%BD",
      "cortex://b/x%3A%EF%BF%BD",
      "cortex://a/t%3A%EF%BF%BD{id}",
      "cortex://b/t%3A%EF%BF%BD{id}",
    ]);
    expect(meeting.resourceCollisions[0]?.claimants).toEqual(["a/x:\ud800", "a/x:\ud801"]);
  });

  test("half a surrogate pair in a URI or a template harms nobody", () => {
    const broken = new Catalog([
      partOfResources("a", { uris: ["x:\ud800"], templates: ["x:\udfff{id}"] }),
      partOfResources("b", { uris: ["x:\ud800"], templates: ["x:\udfff{id}"] }),
    ]);
    expect(broken.resolve("cortex://a/x%3A%EF%BF%BD")).toEqual({ ok: true, connector: "a", uri: "x:\ud800" });
    expect(broken.resolve("cortex://a/y")).toEqual({ ok: true, connector: "a", uri: "y" });
    expect(broken.resolve("\ud800")).toEqual({ ok: false, candidates: ["a", "b"] });
  });

  test.each(["file:///dir/my file.txt", "file:///dir%2Fx", "file:///a", "q:other", "file:///"])(
    "the address that is offered for %j leads back to it",
    (uri) => {
      const both = new Catalog([
        partOfResources("a", { templates: ["file:///{+path}"] }),
        partOfResources("b", { templates: ["x:{id}", "file:///{path}"] }),
      ]);
      for (const connector of ["a", "b"])
        expect(both.resolve(both.addressOf(connector, uri))).toEqual({ ok: true, connector, uri });
    },
  );

  test("a URI that is longer than any that is listed is not held against templates", () => {
    const long = `x:t/${"z".repeat(10_000)}`;
    expect(catalog.resolve(long)).toEqual({ ok: false, candidates: ["a", "b"] });
    const one = new Catalog([
      partOfResources("a", { templates: ["x:t/{id}"] }),
      partOfResources("b", { uris: ["y:1"] }),
    ]);
    expect(one.resolve(long)).toEqual({ ok: true, connector: "a", uri: long });
    expect(one.resolve(one.addressOf("a", long))).toEqual({ ok: true, connector: "a", uri: long });
  });

  test("of two templates that match, the one that says more is meant", () => {
    const close = new Catalog([
      partOfResources("wide", { templates: ["x:{+path}"] }),
      partOfResources("close", { templates: ["x:docs/{id}"] }),
    ]);
    expect(close.resolve("x:docs/1")).toMatchObject({ connector: "close" });
    expect(close.resolve("x:other")).toMatchObject({ connector: "wide" });
  });

  test("with one connector that has resources, everything is its; with none, nothing is anybody's", () => {
    const one = new Catalog([partOfTools("t", [toolOf("x")]), partOfResources("a", {})]);
    expect(one.resolve("q:else")).toEqual({ ok: true, connector: "a", uri: "q:else" });
    expect(new Catalog([partOfTools("t", [toolOf("x")])]).resolve("q:else")).toEqual({ ok: false, candidates: [] });
  });

  test.each([
    ["y:b/{id}", { ok: true, connector: "b", uri: "y:b/{id}" }],
    ["cortex://a/x%3At%2F{id}", { ok: true, connector: "a", uri: "x:t/{id}" }],
    ["x:t/{id}", { ok: false, candidates: ["a", "b"] }],
    ["x:a", { ok: true, connector: "a", uri: "x:a" }],
  ])("the template %j is whose it is", (template, expected) => {
    expect(catalog.resolveTemplate(template)).toEqual(expected);
  });
});

describe("prompts in the catalog (R22)", () => {
  test("are named as tools are, apart from them", () => {
    const catalog = new Catalog([
      partOfResources("a", { prompts: ["hello", "b c"] }),
      partOfTools("b", [toolOf("hello")]),
    ]);
    expect(listed(catalog, "prompts", "name")).toEqual(["a__b_c_fa1e0a6a", "a__hello"]);
    expect(catalog.findPrompt("a__hello")).toMatchObject({ connector: "a", own: "hello" });
    expect(catalog.findPrompt("b__hello")).toBeUndefined();
    expect(catalog.find("a__hello")).toBeUndefined();
  });

  test("a name that two claim is refused to both, and said", () => {
    const names = { ...DEFAULT_CATALOG_POLICY.names, prefix: "never" as const };
    const parts = [partOfResources("a", { prompts: ["p", "q"] }), partOfResources("b", { prompts: ["p"] })];
    const catalog = new Catalog(parts, { ...DEFAULT_CATALOG_POLICY, names });
    expect(listed(catalog, "prompts", "name")).toEqual(["q"]);
    expect(catalog.promptCollisions).toEqual([{ name: "p", claimants: ["a/p", "b/p"] }]);
    expect(catalog.collisions).toEqual([]);
  });
});

describe("the lists of a catalog", () => {
  test("R23: the same parts in any order give the same bytes and the same revision, in every list", () => {
    const uri = fc.stringMatching(/^[ab]:[a-c]{0,2}(\{i\})?$/);
    const few = fc.array(uri, { maxLength: 4 });
    const part = fc
      .tuple(fc.stringMatching(/^[a-d]$/), few, few, few)
      .map(([key, uris, templates, prompts]) => partOfResources(key, { uris, templates, prompts }));
    const parts = fc.uniqueArray(part, { selector: ({ key }) => key, maxLength: 4 });
    fc.assert(
      fc.property(parts, (one) => {
        const [left, right] = [new Catalog(one), new Catalog(one.toReversed())];
        expect(right.revision).toBe(left.revision);
        for (const kind of ["resources", "resourceTemplates", "prompts"] as const)
          expect(read(right, kind)).toEqual(read(left, kind));
      }),
      { numRuns: 300 },
    );
  });

  test("each has pages and hints of its own", () => {
    const part = partOfResources("a", { uris: ["x:1", "x:2", "x:3"], prompts: ["p"] });
    const hinted = {
      ...part,
      lists: { ...part.lists, prompts: { entries: [{ name: "p" }], ttlMs: 5, cacheScope: "private" as const } },
    };
    const catalog = new Catalog([hinted], { ...DEFAULT_CATALOG_POLICY, pageSize: 2 });
    const first = read(catalog, "resources");
    expect(first).toMatchObject({ ttlMs: 300_000, cacheScope: "public" });
    expect(read(catalog, "resources", cursorOf(first))["resources"]).toMatchObject([{ uri: "x:3" }]);
    expect(read(catalog, "prompts")).toMatchObject({ ttlMs: 5, cacheScope: "private" });
  });

  test("R22: a legacy client is not shown an outputSchema that its revision does not know, and a modern one is", () => {
    const tools = [
      { ...toolOf("any"), outputSchema: { type: "array" } },
      { ...toolOf("object"), outputSchema: { type: "object" } },
    ];
    const catalog = new Catalog([partOfTools("a", tools)]);
    const page = (era: "modern" | "legacy"): unknown => {
      const bytes = Buffer.concat(catalog.page("tools", era, undefined)?.pieces ?? []);
      const { tools: shown } = JSON.parse(bytes.toString("utf8")) as { tools: JsonObject[] };
      return shown.map(({ outputSchema }) => outputSchema);
    };
    expect(page("modern")).toEqual([{ type: "array" }, { type: "object" }]);
    expect(page("legacy")).toEqual([undefined, { type: "object" }]);
  });

  test("a catalog knows which features' lists are others than before", () => {
    const before = new Catalog([partOfResources("a", { uris: ["x:1"], prompts: ["p"] })]);
    const changes = (next: Catalog): string[] => [...next.changesSince(before)];
    expect(changes(new Catalog([partOfResources("a", { uris: ["x:1"], prompts: ["p"] })]))).toEqual([]);
    expect(changes(new Catalog([partOfResources("a", { uris: ["x:2"], prompts: ["p"] })]))).toEqual(["resources"]);
    expect(changes(new Catalog([partOfResources("a", { uris: ["x:1"], templates: ["t:{a}"], prompts: [] })]))).toEqual([
      "resources",
      "prompts",
    ]);
    expect(changes(new Catalog([partOfTools("a", [toolOf("t")])]))).toEqual(["tools", "resources", "prompts"]);
  });
});
