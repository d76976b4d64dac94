import { describe, expect, test } from "vitest";
import type { JsonObject } from "../json-rpc.js";
import { mirroredHeaders, mirroredParams } from "../mirrored-params.js";

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

  test("a schema nested without end is refused, not followed", () => {
    let deep: JsonObject = region;
    for (let level = 0; level < 100; level += 1) deep = { type: "object", properties: { a: deep } };
    expect(mirroredParams(deep)).toEqual({ ok: false, reason: "its schema is nested too deeply" });
    let items: JsonObject = {};
    for (let level = 0; level < 100; level += 1) items = { items };
    expect(mirroredParams(items)).toEqual({ ok: true, params: [] });
  });
});
