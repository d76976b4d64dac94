import type { JsonObject, JsonValue, ListKind } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { readEntry } from "../listed-entry.js";

const tool = (more: JsonObject): JsonObject => ({ name: "t", inputSchema: { type: "object" }, ...more });
const resource = (more: JsonObject): JsonObject => ({ uri: "a:b", name: "b", ...more });
const read = (kind: ListKind, entry: JsonObject): object => {
  const { ok, ...rest } = readEntry(kind, entry, false);
  if (!ok || !("entry" in rest)) throw new Error("left out");
  return { entry: rest.entry, mended: rest.mended };
};

// Both SDKs refuse a whole `tools/list` for one entry of another form: one upstream would hide every other one's tools (users.md, 3).
describe("an entry that would make clients refuse the whole list (R6)", () => {
  test.each<[ListKind, JsonObject]>([
    ["tools", tool({ title: "T", description: "d", annotations: { readOnlyHint: true, "x-own": 1 }, "x-own": [1] })],
    ["tools", tool({ outputSchema: { anyOf: [] }, icons: [{ src: "x", sizes: ["1x1"] }], _meta: { ui: {} } })],
    ["tools", tool({ inputSchema: { type: "object", properties: { a: {} }, required: ["a"] } })],
    [
      "resources",
      resource({
        mimeType: "text/plain",
        size: 5,
        annotations: { audience: ["user"], priority: 1, lastModified: "2026-01-01T00:00:00.5+01:00" },
      }),
    ],
    ["tools", tool({ execution: { taskSupport: "optional", "x-own": 1 }, icons: [{ src: "x", theme: "dark" }] })],
    ["resourceTemplates", { uriTemplate: "a:{b}", name: "t", mimeType: "x/y" }],
    ["prompts", { name: "p", arguments: [{ name: "a", required: true, "x-own": 1 }] }],
  ])("is no %s that is sound: it stays the very object it was", (kind, entry) => {
    const mended = readEntry(kind, entry, false);
    expect(mended.ok && mended.entry).toBe(entry);
  });

  test("a tool with annotations that break the rules loses them where they mean nothing, and the others keep theirs", () => {
    const annotated = (header: unknown): JsonObject => ({ a: { type: "string", "x-mcp-header": header as string } });
    const sound = tool({ inputSchema: { type: "object", properties: annotated("A") } });
    expect(read("tools", sound)).toEqual({ entry: sound, mended: [] });
    const broken = { type: "object", properties: annotated("a b"), default: { "x-mcp-header": 1 } };
    expect(read("tools", tool({ inputSchema: broken, title: 5 }))).toEqual({
      entry: tool({ inputSchema: { ...broken, properties: { a: { type: "string" } } } }),
      mended: ["title", "x-mcp-header"],
    });
    expect(readEntry("tools", tool({ inputSchema: broken }), true)).toEqual({
      ok: false,
      reason: 't (its x-mcp-header of "a" is no header name)',
    });
  });

  test("a tool whose schema does not say that it is of an object says so now", () => {
    const $schema = "http://json-schema.org/draft-07/schema#";
    expect(read("tools", tool({ inputSchema: { $schema } }))).toEqual({
      entry: tool({ inputSchema: { $schema, type: "object" } }),
      mended: ["inputSchema"],
    });
  });

  test("a tool whose schema is of something else is left out, and said", () => {
    expect(readEntry("tools", tool({ inputSchema: { type: "array" } }), false)).toEqual({
      ok: false,
      reason: "t (its inputSchema is not of an object)",
    });
  });

  test("true and false among the properties become what they mean", () => {
    const inputSchema = { type: "object", properties: { any: true, none: false, text: { type: "string" } } };
    expect(read("tools", tool({ inputSchema }))).toMatchObject({
      entry: { inputSchema: { properties: { any: {}, none: { not: {} }, text: { type: "string" } } } },
    });
  });

  test.each<[ListKind, string, JsonValue]>([
    ["tools", "title", 7],
    ["tools", "description", null],
    ["tools", "annotations", { readOnlyHint: "yes" }],
    ["tools", "outputSchema", "none"],
    ["tools", "icons", [{ mimeType: "image/png" }]],
    ["tools", "_meta", []],
    ["tools", "icons", [{ src: "x", theme: "auto" }]],
    ["tools", "execution", { taskSupport: "always" }],
    ["resources", "annotations", { priority: 1.5 }],
    ["resources", "annotations", { priority: -1 }],
    ["resources", "annotations", { lastModified: "yesterday" }],
    ["resources", "annotations", { lastModified: "2026-01-01" }],
    ["resources", "annotations", { lastModified: "2026-02-31T00:00:00Z" }],
    ["resources", "mimeType", false],
    ["resources", "size", "5"],
    ["resources", "annotations", { audience: ["robot"] }],
    ["resourceTemplates", "annotations", { priority: "high" }],
    ["prompts", "arguments", [{ description: "no name" }]],
    ["prompts", "arguments", { name: "a" }],
  ])("of %s, %s that is %j is taken away, and nothing else", (kind, member, value) => {
    const sound: Record<ListKind, JsonObject> = {
      tools: tool({ "x-own": 1 }),
      resources: resource({ "x-own": 1 }),
      resourceTemplates: { uriTemplate: "a:{b}", name: "t", "x-own": 1 },
      prompts: { name: "p", "x-own": 1 },
    };
    expect(read(kind, { ...sound[kind], [member]: value })).toEqual({ entry: sound[kind], mended: [member] });
  });

  test.each<[string, JsonObject, JsonObject]>([
    ["required that is no list", { type: "object", required: "a" }, { type: "object" }],
    ["properties that are none", { type: "object", properties: [] }, { type: "object" }],
    ["a $schema that is no text", { type: "object", $schema: 5 }, { type: "object" }],
  ])("a schema loses %s", (_what, given, mended) => {
    expect(read("tools", tool({ inputSchema: given }))).toMatchObject({ entry: tool({ inputSchema: mended }) });
    expect(read("tools", tool({ outputSchema: given }))).toMatchObject({ entry: tool({ outputSchema: mended }) });
  });

  test("a resource without a name is called by its address", () => {
    expect(read("resources", { uri: "a:b" })).toEqual({ entry: { uri: "a:b", name: "a:b" }, mended: ["name"] });
  });
});
