import { describe, expect, test } from "vitest";
import type { JsonObject } from "../json-rpc.js";
import { META, metaOf, progressTokenOf, withMeta, withoutModernMeta } from "../meta.js";

const parse = (text: string): JsonObject => JSON.parse(text);

test("the reserved _meta keys are those of 2026-07-28", () => {
  expect(META).toEqual({
    protocolVersion: "io.modelcontextprotocol/protocolVersion",
    clientInfo: "io.modelcontextprotocol/clientInfo",
    clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
    logLevel: "io.modelcontextprotocol/logLevel",
    subscriptionId: "io.modelcontextprotocol/subscriptionId",
    serverInfo: "io.modelcontextprotocol/serverInfo",
  });
});

describe("metaOf", () => {
  test("gives _meta itself when it is an object", () => {
    const meta = { a: 1 };
    expect(metaOf({ _meta: meta })).toBe(meta);
  });

  test.each([[undefined], [{}], [{ _meta: null }], [{ _meta: [] }], [{ _meta: "x" }]])(
    "is undefined for %j",
    (params) => {
      expect(metaOf(params)).toBeUndefined();
    },
  );
});

describe("withMeta", () => {
  test("adds and replaces entries, keeps the rest, and leaves what it was given as it was", () => {
    const params = { name: "x", _meta: { keep: 1, replace: 1 } };
    expect(withMeta(params, { replace: 2, add: 3 })).toEqual({ name: "x", _meta: { keep: 1, replace: 2, add: 3 } });
    expect(params).toEqual({ name: "x", _meta: { keep: 1, replace: 1 } });
  });

  test.each([[undefined], [{ _meta: "nonsense" }]])("makes a _meta where there is none: %j", (params) => {
    expect(withMeta(params, { a: 1 })).toEqual({ _meta: { a: 1 } });
  });

  test("copies a key called __proto__ as a key", () => {
    const params = withMeta(parse('{"_meta":{"__proto__":{"polluted":1}}}'), { a: 1 });
    expect(JSON.stringify(params)).toBe('{"_meta":{"__proto__":{"polluted":1},"a":1}}');
    expect(metaOf(params)?.["polluted"]).toBeUndefined();
  });
});

describe("withoutModernMeta", () => {
  test("takes away the modern per-request fields and nothing else", () => {
    const params = {
      name: "x",
      _meta: {
        [META.protocolVersion]: "2026-07-28",
        [META.clientInfo]: {},
        [META.clientCapabilities]: {},
        [META.logLevel]: "debug",
        progressToken: 1,
        traceparent: "00-1-2-00",
        "com.example/own": true,
      },
    };
    expect(withoutModernMeta(params)).toEqual({
      name: "x",
      _meta: { progressToken: 1, traceparent: "00-1-2-00", "com.example/own": true },
    });
    expect(Object.keys(params._meta)).toHaveLength(7);
  });

  test("drops a _meta that holds nothing more", () => {
    expect(withoutModernMeta({ name: "x", _meta: { [META.logLevel]: "info" } })).toEqual({ name: "x" });
  });

  test("is an empty object for no params, and the object itself where there is no _meta to look at", () => {
    expect(withoutModernMeta(undefined)).toEqual({});
    const params = { _meta: "nonsense" };
    expect(withoutModernMeta(params)).toBe(params);
  });
});

test.each([
  [{ _meta: { progressToken: "t" } }, "t"],
  [{ _meta: { progressToken: 0 } }, 0],
  [{ _meta: { progressToken: null } }, undefined],
  [{ _meta: { progressToken: {} } }, undefined],
  [{ progressToken: "not here" }, undefined],
  [undefined, undefined],
])("progressTokenOf(%j) is %j", (params, expected) => {
  expect(progressTokenOf(params)).toBe(expected);
});
