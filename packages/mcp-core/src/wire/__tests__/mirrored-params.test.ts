import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../json-rpc.js";
import {
  mirroredHeaders,
  mirroredMismatch,
  mirroredParams,
  withoutMirrored,
  type MirroredParam,
} from "../mirrored-params.js";

describe("parameters mirrored into headers (2026-07-28, x-mcp-header)", () => {
  const region = { type: "string", "x-mcp-header": "Region" };
  const shard = { type: "integer", "x-mcp-header": "Shard" };
  const schema: JsonObject = {
    type: "object",
    properties: {
      region,
      deep: { type: "object", properties: { shard, on: { type: "boolean", "x-mcp-header": "On" } } },
      odd: true,
    },
    default: { "x-mcp-header": 1 },
  };

  test("are found along chains of properties, and encoded by type", () => {
    const mirrored = mirroredParams(schema);
    expect(mirrored).toEqual({
      ok: true,
      params: [
        { header: "mcp-param-region", path: ["region"] },
        { header: "mcp-param-shard", path: ["deep", "shard"] },
        { header: "mcp-param-on", path: ["deep", "on"] },
      ],
    });
    if (!mirrored.ok) return;
    expect(mirroredHeaders(mirrored.params, { region: " é", deep: { shard: -7, on: false } })).toEqual({
      "mcp-param-region": `=?base64?${Buffer.from(" é").toString("base64")}?=`,
      "mcp-param-shard": "-7",
      "mcp-param-on": "false",
    });
    expect(mirroredHeaders(mirrored.params, { region: null, deep: 1 })).toEqual({});
    expect(mirroredHeaders([{ header: "mcp-param-x", path: ["toString"] }], {})).toEqual({});
  });

  test.each<[string, JsonObject]>([
    ["an empty name", { properties: { a: { type: "string", "x-mcp-header": "" } } }],
    ["a name that is no token", { properties: { a: { type: "string", "x-mcp-header": "a b" } } }],
    ["a line break", { properties: { a: { type: "string", "x-mcp-header": "a\r\nb" } } }],
    ["no name at all", { properties: { a: { type: "string", "x-mcp-header": 5 } } }],
    ["a number", { properties: { a: { type: "number", "x-mcp-header": "A" } } }],
    ["an object", { properties: { a: { type: "object", "x-mcp-header": "A" } } }],
    ["the same name twice", { properties: { a: region, b: { type: "string", "x-mcp-header": "REGION" } } }],
    ["an annotation at its root", { "x-mcp-header": "A", type: "object" }],
    ["items", { properties: { a: { type: "array", items: region } } }],
    ["oneOf", { oneOf: [{ properties: { a: region } }] }],
    ["definitions", { $defs: { a: region } }],
  ])("a schema with %s is refused", (_, bad) => {
    expect(mirroredParams(bad)).toMatchObject({ ok: false });
  });

  test.each<[string, JsonObject]>([
    ["a property", { properties: { "x-mcp-header": { type: "string" } } }],
    ["a property of an item", { items: { properties: { "x-mcp-header": { type: "string" } } } }],
    ["a definition", { $defs: { "x-mcp-header": { type: "string" } } }],
  ])("%s may be called like the annotation", (_, named) => {
    expect(mirroredParams(named)).toEqual({ ok: true, params: [] });
    expect(withoutMirrored(named)).toEqual(named);
  });

  test("an annotation of a property that is called like data is found", () => {
    expect(mirroredParams({ items: { properties: { default: region } } })).toMatchObject({ ok: false });
  });

  test("are taken out wherever they stand, and data stays", () => {
    const data = { default: { "x-mcp-header": 1 }, examples: [{ "x-mcp-header": 1 }] };
    const plain = { type: "string" };
    expect(
      withoutMirrored({
        "x-mcp-header": "A",
        properties: { region, default: region, list: { type: "array", items: [region, { anyOf: [region] }] } },
        $defs: { a: region },
        required: ["region"],
        ...data,
      }),
    ).toEqual({
      properties: { region: plain, default: plain, list: { type: "array", items: [plain, { anyOf: [plain] }] } },
      $defs: { a: plain },
      required: ["region"],
      ...data,
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (anything) => {
        // Without the word there is nothing to take out.
        expect(withoutMirrored(anything as JsonObject)).toEqual(anything);
      }),
    );
  });

  test("a schema nested without end is refused, not followed", () => {
    let deep: JsonObject = region;
    for (let level = 0; level < 100; level += 1) deep = { type: "object", properties: { a: deep } };
    expect(mirroredParams(deep)).toEqual({ ok: false, reason: "its schema is nested too deeply" });
    let items: JsonObject = {};
    for (let level = 0; level < 100; level += 1) items = { items };
    expect(mirroredParams(items)).toEqual({ ok: true, params: [] });
  });
});

describe("mirrored parameters against their headers (2026-07-28, Server Behavior for Custom Headers; T10, T12)", () => {
  const params: readonly MirroredParam[] = [
    { header: "mcp-param-region", path: ["region"] },
    { header: "mcp-param-shard", path: ["placement", "shard"] },
  ];
  const encoded = (value: string): string => `=?base64?${Buffer.from(value).toString("base64")}?=`;

  test.each<[JsonValue | undefined, Record<string, string>]>([
    [{ region: "eu" }, { "mcp-param-region": "eu" }],
    [{ region: "eu" }, { "mcp-param-region": encoded("eu") }],
    [{ region: "日本" }, { "mcp-param-region": encoded("日本") }],
    [{ region: "" }, { "mcp-param-region": "" }],
    [{ region: true }, { "mcp-param-region": "true" }],
    [{ region: "true" }, { "mcp-param-region": "true" }],
    [{ placement: { shard: 42 } }, { "mcp-param-shard": "42" }],
    [{ placement: { shard: 42 } }, { "mcp-param-shard": "42.0" }],
    [{ placement: { shard: 42 } }, { "mcp-param-shard": "4.2e1" }],
    [{ placement: { shard: -7 } }, { "mcp-param-shard": "-7" }],
    [{ placement: { shard: 0 } }, { "mcp-param-shard": "-0" }],
    [{ region: null, placement: { shard: null } }, {}],
    [{ region: ["eu"], placement: 1 }, {}],
    [{}, { "mcp-param-other": "x" }],
    [undefined, {}],
    ["no object", {}],
  ])("%j goes with %j", (args, headers) => {
    expect(mirroredMismatch(params, headers, args)).toBeUndefined();
  });

  test.each<[string, JsonValue | undefined, Record<string, string>, string]>([
    [
      "another value",
      { region: "eu" },
      { "mcp-param-region": "us" },
      'mcp-param-region header value "us" does not match body value "eu"',
    ],
    ["another case", { region: "eu" }, { "mcp-param-region": "EU" }, '"EU" does not match body value "eu"'],
    ["no header", { region: "eu" }, {}, 'mcp-param-region is missing; the body has "eu"'],
    ["no header of an empty value", { region: "" }, {}, "mcp-param-region is missing"],
    ["no header of a number", { placement: { shard: 0 } }, {}, "mcp-param-shard is missing"],
    ["no header of false", { region: false }, {}, "mcp-param-region is missing"],
    ["null", { region: null }, { "mcp-param-region": "null" }, "mcp-param-region has no value in the body"],
    ["nothing", {}, { "mcp-param-region": "eu" }, "mcp-param-region has no value in the body"],
    ["no arguments", undefined, { "mcp-param-region": "" }, "mcp-param-region has no value in the body"],
    ["a list", { region: ["eu"] }, { "mcp-param-region": "eu" }, "mcp-param-region has no value in the body"],
    ["another integer", { placement: { shard: 42 } }, { "mcp-param-shard": "43" }, '"43" does not match body value 42'],
    ["a hexadecimal", { placement: { shard: 42 } }, { "mcp-param-shard": "0x2a" }, "does not match body value 42"],
    ["an empty number", { placement: { shard: 0 } }, { "mcp-param-shard": "" }, "does not match body value 0"],
    [
      "an integer that readers round",
      { placement: { shard: 2 ** 53 } },
      { "mcp-param-shard": "9007199254740993" },
      "does not match body value 9007199254740992",
    ],
    ["a boolean in capitals", { region: true }, { "mcp-param-region": "True" }, "does not match body value true"],
    ["bytes that no header may hold", { region: "é" }, { "mcp-param-region": "é" }, "contains characters"],
    ["a control character", { region: "a\u0001" }, { "mcp-param-region": "a\u0001" }, "contains characters"],
    ["broken Base64", { region: "eu" }, { "mcp-param-region": "=?base64?!?=" }, "is not valid Base64"],
  ])("%s is refused", (_what, args, headers, reason) => {
    expect(mirroredMismatch(params, headers, args)).toContain(reason);
  });

  test("what it says stays short, whatever was sent", () => {
    const long = "x".repeat(100_000);
    expect(mirroredMismatch(params, { "mcp-param-region": long }, { region: `${long}y` })?.length).toBeLessThan(400);
  });

  test("what the gateway itself would mirror always goes with the body, and nothing else goes with another one", () => {
    const value = fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
    const args = fc.record({ region: value, placement: fc.record({ shard: value }, { requiredKeys: [] }) });
    fc.assert(
      fc.property(args, args, (sent, other) => {
        const headers = mirroredHeaders(params, sent);
        expect(mirroredMismatch(params, headers, sent)).toBeUndefined();
        // Only what reads the same, such as true and "true", goes with both.
        const alike = JSON.stringify(mirroredHeaders(params, other)) === JSON.stringify(headers);
        expect(mirroredMismatch(params, headers, other) === undefined).toBe(alike);
      }),
    );
  });
});
