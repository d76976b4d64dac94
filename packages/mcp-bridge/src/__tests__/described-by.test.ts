import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { describedBy } from "../described-by.js";

const EXTENSIONS = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } };

describe("what an upstream says of itself", () => {
  test("is remembered whole from server/discover: its name from `_meta`, and what nobody here knows", () => {
    const serverInfo = { name: "docs", version: "1", title: "Docs", icons: [{ src: "https://a.example/i.png" }] };
    const capabilities = { tools: { "x-own": 1 }, extensions: EXTENSIONS, experimental: { own: {} } };
    const result = {
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities,
      instructions: "Be kind",
      _meta: { [META.serverInfo]: serverInfo, "example.com/own": 1 },
      ttlMs: 5,
      cacheScope: "private",
      "x-own": { a: 1 },
    };
    expect(describedBy(result)).toEqual({
      capabilities,
      serverInfo,
      instructions: "Be kind",
      others: { _meta: { "example.com/own": 1 }, ttlMs: 5, cacheScope: "private", "x-own": { a: 1 } },
    });
  });

  test("and from initialize", () => {
    const serverInfo = { name: "docs", version: "1" };
    const result = { protocolVersion: "2025-11-25", capabilities: { logging: {} }, serverInfo, _meta: { own: 1 } };
    expect(describedBy(result)).toEqual({ capabilities: { logging: {} }, serverInfo, others: { _meta: { own: 1 } } });
  });

  test("is nothing where it is nonsense, or nested so deep that it could not be passed on", () => {
    let deep: JsonObject = {};
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    const nonsense = { capabilities: [], serverInfo: "docs", instructions: 1, _meta: 7 };
    expect(describedBy(nonsense)).toEqual({ capabilities: {} });
    expect(describedBy({ capabilities: deep, serverInfo: deep, "x-own": deep, _meta: deep })).toEqual({
      capabilities: {},
    });
  });

  test("a member cannot reach into the object that holds it", () => {
    const result = JSON.parse('{"capabilities":{},"__proto__":{"own":1}}') as JsonObject;
    expect(Object.keys(describedBy(result).others ?? {})).toEqual(["__proto__"]);
  });
});
