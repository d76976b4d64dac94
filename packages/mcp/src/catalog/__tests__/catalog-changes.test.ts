import { DEFAULT_NAME_POLICY } from "@cortex-os/mcp-core";
import { LIST_KINDS, type Era, type JsonObject, type ListKind } from "@cortex-os/mcp-core/wire";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from "vitest";
import { partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import type { CatalogPart } from "../catalog-part.js";
import { Catalog, catalogLists, DEFAULT_CATALOG_POLICY, type CatalogPolicy } from "../catalog.js";

const policyOf = (overrides: Partial<CatalogPolicy>): CatalogPolicy => ({ ...DEFAULT_CATALOG_POLICY, ...overrides });
const ERAS: readonly Era[] = ["modern", "legacy"];

/** Every byte of every page of a list, and what names it knows. */
function allOf(catalog: Catalog, kind: ListKind, era: Era): string[] {
  const pages: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const text = Buffer.concat(catalog.page(kind, era, cursor)?.pieces ?? []).toString("utf8");
    pages.push(text);
    cursor = (JSON.parse(text) as JsonObject)["nextCursor"] as string | undefined;
  }
  return pages;
}

/** All that anybody can learn of a catalog. */
function shownBy(catalog: Catalog, names: readonly string[]): unknown {
  return {
    revision: catalog.revision,
    pages: LIST_KINDS.map((kind) => ERAS.map((era) => allOf(catalog, kind, era))),
    collisions: [catalog.collisions, catalog.promptCollisions],
    tools: catalog.tools.map(({ name, connector, tool, json, mirrored }) => [name, connector, tool, json, mirrored]),
    found: names.map((name) => [catalog.find(name)?.connector, catalog.findPrompt(name)?.own, catalog.resolve(name)]),
  };
}

describe("a catalog that follows another one", () => {
  const key = fc.constantFrom("a", "b", "a__b", "_", "c");
  const own = fc.constantFrom("x", "y", "b__x", "a__x", "a__b__x", "x y", "z", "a__x_d6b8dade", "é");
  const tool = fc.record(
    {
      name: own,
      title: fc.constantFrom("one", "two", "é"),
      outputSchema: fc.constantFrom({ type: "array" }, { type: "object" }),
    },
    { requiredKeys: ["name"] },
  );
  const uri = fc.constantFrom("x:1", "x:2", "y:1", "cortex://a/x%3A1", "z:{id}");
  const hints = { ttlMs: fc.constantFrom(5, 7), cacheScope: fc.constantFrom("public" as const, "private" as const) };
  const listOf = <T extends JsonObject>(entry: fc.Arbitrary<T>) =>
    fc.record({ entries: fc.array(entry, { maxLength: 9 }), ...hints }, { requiredKeys: ["entries"] });
  const offered = fc.record(
    {
      tools: listOf(tool),
      resources: listOf(fc.record({ uri })),
      resourceTemplates: listOf(fc.record({ uriTemplate: uri })),
      prompts: listOf(fc.record({ name: own })),
    },
    { requiredKeys: [] },
  );
  /** A connector that changed, or that went. */
  const change = fc.record({ key, lists: fc.option(offered, { nil: undefined }) });

  test("R23: is the same to the last byte as one that was built from nothing, whatever came and went before", () => {
    const policy = fc.record({
      prefix: fc.constantFrom("always" as const, "auto" as const, "never" as const),
      pageSize: fc.integer({ min: 1, max: 4 }),
    });
    const names = ["x", "a__x", "b__x", "a__b__x", "a__x_d6b8dade", "x:1", "cortex://b/x%3A1", "q:1"];
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), policy, (changes, { prefix, pageSize }) => {
        const used = policyOf({ names: { ...DEFAULT_NAME_POLICY, prefix }, pageSize });
        const following = catalogLists(used);
        const parts = new Map<string, CatalogPart>();
        for (const { key: changed, lists: now } of changes) {
          if (now === undefined) parts.delete(changed);
          else parts.set(changed, { key: changed, lists: now });
          const all = [...parts.values()];
          const followed = new Catalog(all, used, following);
          expect(shownBy(followed, names)).toEqual(shownBy(new Catalog(all.toReversed(), used), names));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("R23: has the same revision when what changed is changed back", () => {
    const lists = catalogLists(DEFAULT_CATALOG_POLICY);
    const [one, other] = [partOfTools("a", [toolOf("x")]), partOfTools("a", [toolOf("x"), toolOf("y")])];
    const revisions = [one, other, one].map((part) => new Catalog([part], DEFAULT_CATALOG_POLICY, lists).revision);
    expect(revisions[2]).toBe(revisions[0]);
    expect(revisions[1]).not.toBe(revisions[0]);
  });

  test("is whole after one that could not be built", () => {
    const lists = catalogLists(DEFAULT_CATALOG_POLICY);
    const a = partOfTools("a", [toolOf("x")]);
    const before = new Catalog([a], DEFAULT_CATALOG_POLICY, lists);
    const shown = shownBy(before, ["a__x"]);
    const b = partOfTools("b", [toolOf("x")]);
    const broken = vi.spyOn(JSON, "stringify").mockImplementation(() => {
      throw new RangeError("Invalid string length");
    });
    expect(() => new Catalog([a, b], DEFAULT_CATALOG_POLICY, lists)).toThrow("Invalid string length");
    broken.mockRestore();
    expect(shownBy(before, ["a__x"])).toEqual(shown);
    const names = ["a__x", "b__x"];
    expect(shownBy(new Catalog([a, b], DEFAULT_CATALOG_POLICY, lists), names)).toEqual(
      shownBy(new Catalog([a, b]), names),
    );
    expect(shownBy(before, ["a__x"])).toEqual(shown);
  });

  test("leaves the one before as it was", () => {
    const lists = catalogLists(DEFAULT_CATALOG_POLICY);
    const before = new Catalog([partOfTools("a", [toolOf("x")])], DEFAULT_CATALOG_POLICY, lists);
    const shown = shownBy(before, ["a__x"]);
    const after = new Catalog([partOfTools("b", [toolOf("x")])], DEFAULT_CATALOG_POLICY, lists);
    expect(shownBy(before, ["a__x"])).toEqual(shown);
    expect([before.find("b__x"), after.find("a__x")]).toEqual([undefined, undefined]);
  });
});

describe("what a changed connector costs", () => {
  const CONNECTORS = 200;
  const TOOLS = 20;
  const keyOf = (at: number): string => `k${String(at).padStart(3, "0")}`;
  let stringify: MockInstance<typeof JSON.stringify>;
  const encodings = (): number => stringify.mock.calls.length;

  beforeEach(() => {
    stringify = vi.spyOn(JSON, "stringify");
  });
  afterEach(() => {
    stringify.mockRestore();
  });

  function following(policy: CatalogPolicy): { readonly parts: CatalogPart[]; readonly build: () => Catalog } {
    const parts = Array.from({ length: CONNECTORS }, (_, at) =>
      partOfTools(
        keyOf(at),
        Array.from({ length: TOOLS }, (_each, tool) => toolOf(`t${at}-${tool}`)),
      ),
    );
    const lists = catalogLists(policy);
    return { parts, build: () => new Catalog([...parts], policy, lists) };
  }

  test.each(["always", "auto", "never"] as const)("its own tools are encoded, and no others (%s)", (prefix) => {
    const { parts, build } = following(policyOf({ names: { ...DEFAULT_NAME_POLICY, prefix } }));
    build();
    expect(encodings()).toBe(CONNECTORS * TOOLS);
    parts[7] = partOfTools(keyOf(7), [toolOf("new"), toolOf("t7-1")]);
    stringify.mockClear();
    expect(build().size("tools")).toBe((CONNECTORS - 1) * TOOLS + 2);
    expect(encodings()).toBe(2);
  });

  test("nothing is encoded when one goes, or when nothing changed", () => {
    const { parts, build } = following(DEFAULT_CATALOG_POLICY);
    build();
    stringify.mockClear();
    parts.splice(3, 1);
    build();
    build();
    expect(encodings()).toBe(0);
  });

  test("auto: a tool that meets another one's name has both encoded, and nobody else's", () => {
    const { parts, build } = following(policyOf({ names: { ...DEFAULT_NAME_POLICY, prefix: "auto" } }));
    build();
    stringify.mockClear();
    parts.push(partOfTools("other", [toolOf("t0-0")]));
    const catalog = build();
    expect(encodings()).toBe(2);
    expect([catalog.find("t0-0"), catalog.find("k000__t0-0")?.tool]).toEqual([undefined, "t0-0"]);
    stringify.mockClear();
    parts.pop();
    expect(build().find("t0-0")?.connector).toBe("k000");
    expect(encodings()).toBe(1);
  });

  test("a page that holds the same as before is the same bytes, not equal ones", () => {
    const { parts, build } = following(DEFAULT_CATALOG_POLICY);
    const before = build();
    const [first, second] = pagesOf(before);
    parts[199] = partOfTools(keyOf(199), [{ ...toolOf("t199-0"), title: "changed" }]);
    const after = build();
    const [firstAfter] = pagesOf(after);
    expect(firstAfter).toBe(first);
    expect(second).not.toBe(first);
    expect(after.revision).not.toBe(before.revision);
  });
});

function pagesOf(catalog: Catalog): (Buffer | undefined)[] {
  const rows: (Buffer | undefined)[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const pieces: readonly Buffer[] = catalog.page("tools", "modern", cursor)?.pieces ?? [];
    rows.push(pieces[1]);
    cursor = /"nextCursor":"([^"]*)"/.exec(String(pieces[2]))?.[1];
  }
  return rows;
}
