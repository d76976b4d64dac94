import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyMessage, isJsonObject } from "../json-rpc.js";

const invalid = (reason: string, id?: string | number) => ({
  kind: "invalid",
  reason,
  ...(id === undefined ? {} : { id }),
});
const BAD_ID = "id must be a string or an integer within ±(2^53 − 1)";
const NO_KIND = "a message needs a method, a result or an error";

describe("classifyMessage (basic, Messages)", () => {
  test.each([
    ["request", { jsonrpc: "2.0", id: 1, method: "ping" }],
    ["request", { jsonrpc: "2.0", id: "", method: "tools/call", params: { name: "x" } }],
    ["request", { jsonrpc: "2.0", id: -7, method: "x", params: {}, unknown: [1] }],
    ["notification", { jsonrpc: "2.0", method: "notifications/initialized" }],
    ["notification", { jsonrpc: "2.0", method: "x", params: {} }],
    ["response", { jsonrpc: "2.0", id: 1, result: {} }],
    ["response", { jsonrpc: "2.0", id: 1, error: { code: -32_603, message: "" } }],
    ["response", { jsonrpc: "2.0", error: { code: 1, message: "no id could be read", data: [] } }],
    ["response", { jsonrpc: "2.0", id: null, error: { code: -32_700, message: "as JSON-RPC 2.0 has it" } }],
  ])("knows a %s: %j", (kind, value) => {
    const classified = classifyMessage(value);
    expect(classified.kind).toBe(kind);
    expect("message" in classified && classified.message).toBe(value);
  });

  test.each([
    [null, invalid("a message must be one JSON object")],
    ["x", invalid("a message must be one JSON object")],
    [[{ jsonrpc: "2.0", id: 1, method: "ping" }], invalid("a message must be one JSON object")],
    [{ id: 1, method: "ping" }, invalid('jsonrpc must be "2.0"', 1)],
    [{ jsonrpc: "1.0", method: "ping" }, invalid('jsonrpc must be "2.0"')],
    [{ jsonrpc: 2, id: "a", method: "ping" }, invalid('jsonrpc must be "2.0"', "a")],
    [{ jsonrpc: "2.0" }, invalid(NO_KIND)],
    [{ jsonrpc: "2.0", id: 1 }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: 1, result: 5 }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", result: {} }, invalid(NO_KIND)],
    [{ jsonrpc: "2.0", id: null, result: {} }, invalid(NO_KIND)],
    [{ jsonrpc: "2.0", id: 1, error: null }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: 1, error: { code: "x", message: "" } }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: 1, error: { code: 1.5, message: "" } }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: 1, error: { code: 1 } }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: {}, error: { code: 1, message: "" } }, invalid(NO_KIND)],
    [{ jsonrpc: "2.0", id: 1, result: {}, error: { code: 1, message: "" } }, invalid(NO_KIND, 1)],
    [{ jsonrpc: "2.0", id: 1, method: null }, invalid("method must be a string", 1)],
    [{ jsonrpc: "2.0", id: 1, method: "x", params: [] }, invalid("params must be an object", 1)],
    [{ jsonrpc: "2.0", id: 1, method: "x", params: null }, invalid("params must be an object", 1)],
    [{ jsonrpc: "2.0", id: null, method: "x" }, invalid(BAD_ID)],
    [{ jsonrpc: "2.0", id: 1.5, method: "x" }, invalid(BAD_ID)],
    [{ jsonrpc: "2.0", id: true, method: "x" }, invalid(BAD_ID)],
    [{ jsonrpc: "2.0", id: 2 ** 53, method: "x" }, invalid(BAD_ID)],
    [
      { jsonrpc: "2.0", id: 1, method: "x", result: {} },
      invalid("a message with a method has no result and no error", 1),
    ],
    [{ jsonrpc: "2.0", method: "x", error: {} }, invalid("a message with a method has no result and no error")],
  ])("refuses %j and says why, with the id when it can be read", (value, expected) => {
    expect(classifyMessage(value)).toEqual(expected);
  });

  test("refuses an id that JSON.parse has rounded, since its answer would come under another", () => {
    const classified = classifyMessage(JSON.parse('{"jsonrpc":"2.0","id":12345678901234567891,"method":"ping"}'));
    expect(classified).toEqual(invalid(BAD_ID));
  });

  test("never throws, and returns the very object it was given, for any JSON", () => {
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom("2.0", "ping", 1, "a", null, {}, { code: 1, message: "" }));
    const keys = fc.constantFrom("jsonrpc", "id", "method", "params", "result", "error", "__proto__", "constructor");
    // Made from text, as a body is: a key called __proto__ is then a key.
    const nearMessages = fc
      .dictionary(keys, member, { minKeys: 1 })
      .map((value): unknown => JSON.parse(`{"jsonrpc":"2.0",${JSON.stringify(value).slice(1)}`));
    const messages = fc.oneof(fc.jsonValue(), nearMessages);
    fc.assert(
      fc.property(messages, (value) => {
        const before = JSON.stringify(value);
        const classified = classifyMessage(value);
        expect(classified.kind === "invalid" ? classified.reason !== "" : classified.message === value).toBe(true);
        expect(JSON.stringify(value)).toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes nothing from a prototype that a message names", () => {
    const value: unknown = JSON.parse('{"jsonrpc":"2.0","__proto__":{"id":1,"method":"tools/call"}}');
    expect(classifyMessage(value)).toEqual(invalid(NO_KIND));
  });
});

test.each([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  ["{}", false],
  [undefined, false],
])("isJsonObject(%j) is %s", (value, expected) => {
  expect(isJsonObject(value)).toBe(expected);
});
