import { DEFAULT_NAME_POLICY } from "@cortex-os/mcp-core";
import type { Era, JsonObject } from "@cortex-os/mcp-core/wire";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import { entriesOf, type CatalogPart, type PartList } from "../catalog-part.js";
import { Catalog, DEFAULT_CATALOG_POLICY, type CatalogPolicy } from "../catalog.js";
import { encodeCursor } from "../cursor.js";

const partOf = (key: string, ...names: string[]): CatalogPart => partOfTools(key, names.map(toolOf));
const hinted = (part: CatalogPart, hints: Omit<PartList, "entries">): CatalogPart =>
  partOfTools(part.key, entriesOf(part, "tools"), hints);
const policyOf = (overrides: Partial<CatalogPolicy>): CatalogPolicy => ({ ...DEFAULT_CATALOG_POLICY, ...overrides });
const bytesOf = (catalog: Catalog, era: Era, cursor?: string): string | undefined => {
  const page = catalog.page("tools", era, cursor);
  return page === undefined ? undefined : Buffer.concat(page.pieces).toString("utf8");
};
const readPage = (catalog: Catalog, era: Era, cursor?: string): JsonObject => {
  const bytes = bytesOf(catalog, era, cursor);
  if (bytes === undefined) throw new Error(`no page for ${String(cursor)}`);
  return JSON.parse(bytes) as JsonObject;
};
const namesOn = (page: JsonObject): unknown[] => (page["tools"] as JsonObject[]).map(({ name }) => name);
const cursorOf = (page: JsonObject): string | undefined => page["nextCursor"] as string | undefined;

/** Reads all pages; `between` may swap the catalog after each. */
function readAll(
  first: Catalog,
  era: Era,
  between: (catalog: Catalog, page: number) => Catalog = (same) => same,
): string[][] {
  const pages: string[][] = [];
  let catalog = first;
  let cursor: string | undefined;
  do {
    const page = readPage(catalog, era, cursor);
    pages.push(namesOn(page) as string[]);
    cursor = cursorOf(page);
    catalog = between(catalog, pages.length);
  } while (cursor !== undefined && pages.length < 1_000);
  return pages;
}

describe("the catalog's bytes", () => {
  test("a modern page has the members that 2026-07-28 asks for", () => {
    expect(readPage(new Catalog([partOf("a", "x")]), "modern")).toEqual({
      resultType: "complete",
      tools: [{ name: "a__x", inputSchema: { type: "object" } }],
      ttlMs: 300_000,
      cacheScope: "public",
    });
  });

  test("a legacy page has none of the modern era's members", () => {
    expect(readPage(new Catalog([partOf("a", "x")]), "legacy")).toEqual({
      tools: [{ name: "a__x", inputSchema: { type: "object" } }],
    });
  });

  test.each(["modern", "legacy"] as const)("an empty catalog is one empty page (%s)", (era) => {
    expect(readAll(new Catalog([]), era)).toEqual([[]]);
  });

  test("R23: the bytes are pinned: whoever changes them breaks every client's cache", () => {
    const catalog = new Catalog([partOf("a", "x"), hinted(partOf("b", "y"), { ttlMs: 5, cacheScope: "private" })]);
    expect(bytesOf(catalog, "modern")).toBe(
      '{"resultType":"complete","tools":[{"name":"a__x","inputSchema":{"type":"object"}},' +
        '{"name":"b__y","inputSchema":{"type":"object"}}],"ttlMs":5,"cacheScope":"private"}',
    );
    expect(catalog.revision).toBe("0e83726870aa432b5c49e3259a8d2a4ee4e38f2d94ecca605a8f46201ce6e364");
  });

  test("R23: the same parts in any order give the same bytes and the same revision", () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/);
    const tool = fc.record({ name: fc.string({ unit: "grapheme", maxLength: 8 }), title: fc.string() });
    const list = fc.record(
      {
        entries: fc.array(tool, { maxLength: 6 }),
        ttlMs: fc.nat(1_000_000),
        cacheScope: fc.constantFrom("public" as const, "private" as const),
      },
      { requiredKeys: ["entries"] },
    );
    const part = fc.record({ key, lists: fc.record({ tools: list }) });
    const parts = fc.uniqueArray(part, { selector: ({ key: own }) => own, maxLength: 8 });
    const shuffled = parts.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
    );
    const prefix = fc.constantFrom("always" as const, "auto" as const, "never" as const);
    fc.assert(
      fc.property(shuffled, prefix, ([one, other], names) => {
        const policy = policyOf({ names: { ...DEFAULT_NAME_POLICY, prefix: names }, pageSize: 3 });
        const [left, right] = [new Catalog(one, policy), new Catalog(other, policy)];
        expect(right.revision).toBe(left.revision);
        expect(right.collisions).toEqual(left.collisions);
        for (const era of ["modern", "legacy"] as const) {
          expect(bytesOf(right, era)).toBe(bytesOf(left, era));
          const flat = readAll(left, era).flat();
          expect(flat).toEqual(left.tools.map(({ name }) => name));
          expect(readAll(right, era).flat()).toEqual(flat);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("the revision changes with a tool, a definition or a hint, and with nothing else", () => {
    const base = new Catalog([partOf("a", "x")]).revision;
    expect(new Catalog([partOf("a", "x"), partOf("b")]).revision).toBe(base);
    expect(new Catalog([partOf("a", "x", "y")]).revision).not.toBe(base);
    expect(new Catalog([partOfTools("a", [{ ...toolOf("x"), title: "T" }])]).revision).not.toBe(base);
    expect(new Catalog([hinted(partOf("a", "x"), { ttlMs: 1 })]).revision).not.toBe(base);
    expect(new Catalog([hinted(partOf("a", "x"), { cacheScope: "private" })]).revision).not.toBe(base);
  });
});

describe("the catalog's caching hints (2026-07-28, Caching)", () => {
  const hintsOf = (...parts: CatalogPart[]): unknown[] => {
    const { ttlMs, cacheScope } = readPage(new Catalog(parts), "modern");
    return [ttlMs, cacheScope];
  };

  test("a merged list is as fresh as its least fresh part, and never fresher than configured", () => {
    expect(hintsOf(hinted(partOf("a"), { ttlMs: 400_000 }))).toEqual([300_000, "public"]);
    expect(hintsOf(hinted(partOf("a"), { ttlMs: 7 }), partOf("b"), hinted(partOf("c"), { ttlMs: 0 }))).toEqual([
      0,
      "public",
    ]);
  });

  test("a merged list is private as soon as one part is", () => {
    expect(
      hintsOf(hinted(partOf("a"), { cacheScope: "public" }), hinted(partOf("b"), { cacheScope: "private" })),
    ).toEqual([300_000, "private"]);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("an upstream's hint of %s counts as 0", (ttlMs) => {
    expect(hintsOf(hinted(partOf("a"), { ttlMs }))).toEqual([0, "public"]);
  });
});

describe("the catalog's pages", () => {
  const thousands = (count: number): CatalogPart =>
    partOf("k", ...Array.from({ length: count }, (_, at) => `t${String(at).padStart(5, "0")}`));

  test.each([
    [0, [0]],
    [999, [999]],
    [1_000, [1_000]],
    [1_001, [1_000, 1]],
    [2_500, [1_000, 1_000, 500]],
  ])("%i tools come a thousand a page", (count, sizes) => {
    const catalog = new Catalog([thousands(count)]);
    for (const era of ["modern", "legacy"] as const) {
      const pages = readAll(catalog, era);
      expect(pages.map((page) => page.length)).toEqual(sizes);
      expect(pages.flat()).toEqual(catalog.tools.map(({ name }) => name));
    }
  });

  test("every page carries the same cacheScope, and only the last no cursor", () => {
    const catalog = new Catalog([hinted(thousands(1_500), { cacheScope: "private" })]);
    const first = readPage(catalog, "modern");
    const last = readPage(catalog, "modern", cursorOf(first));
    expect([first["cacheScope"], last["cacheScope"]]).toEqual(["private", "private"]);
    expect(Object.keys(first)).toEqual(["resultType", "tools", "nextCursor", "ttlMs", "cacheScope"]);
    expect(Object.keys(last)).toEqual(["resultType", "tools", "ttlMs", "cacheScope"]);
  });

  test("an empty cursor is valid and means the start", () => {
    const catalog = new Catalog([partOf("a", "x")]);
    expect(catalog.page("tools", "modern", "")).toBe(catalog.page("tools", "modern", undefined));
  });

  test("a ready page is the same buffers each time: nothing is encoded when a client asks", () => {
    const catalog = new Catalog([thousands(1_001)]);
    const cursor = cursorOf(readPage(catalog, "modern"));
    expect(catalog.page("tools", "legacy", cursor)).toBe(catalog.page("tools", "legacy", cursor));
  });

  test.each(["!", "%", "YQ==", "eyJwYWdlIjogM30=", "_w"])(
    "a cursor that is none of ours (%s) has no page",
    (cursor) => {
      expect(new Catalog([partOf("a", "x")]).page("tools", "modern", cursor)).toBeUndefined();
    },
  );

  test("a cursor behind the last tool is an empty last page", () => {
    const page = readPage(new Catalog([partOf("a", "x")]), "legacy", encodeCursor("zzz"));
    expect(page).toEqual({ tools: [] });
  });

  test("a cursor survives tools that come and go between two pages: nothing that stayed is missed or told twice", () => {
    const name = fc.stringMatching(/^[a-z]{1,3}$/);
    const names = fc.uniqueArray(name, { maxLength: 30 });
    fc.assert(
      fc.property(
        names,
        fc.array(names, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        (first, later, pageSize) => {
          const policy = policyOf({ pageSize });
          const versions = [first, ...later].map((own) => new Catalog([partOf("k", ...own)], policy));
          const pages = readAll(versions[0] ?? new Catalog([]), "modern", (same, at) => versions[at] ?? same);
          const told = pages.flat();
          expect(new Set(told).size).toBe(told.length);
          expect(told).toEqual(told.toSorted());
          const stayed = first.filter((own) => later.every((version) => version.includes(own)));
          for (const own of stayed) expect(told).toContain(`k__${own}`);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("the catalog", () => {
  test("finds a tool by its public name and by no other", () => {
    const catalog = new Catalog([partOf("a", "x")]);
    expect(catalog.find("a__x")).toMatchObject({ connector: "a", tool: "x" });
    for (const name of ["x", "a__", "__proto__", "constructor", ""]) expect(catalog.find(name)).toBeUndefined();
  });

  test("refuses a page size or a ttl that makes no sense, and says which", () => {
    expect(() => new Catalog([], policyOf({ pageSize: 0 }))).toThrow("pageSize must be at least 1, got 0");
    expect(() => new Catalog([], policyOf({ pageSize: Number.NaN }))).toThrow("pageSize");
    expect(() => new Catalog([], policyOf({ ttlMs: -1 }))).toThrow("ttlMs must be a whole number >= 0, got -1");
  });
});
