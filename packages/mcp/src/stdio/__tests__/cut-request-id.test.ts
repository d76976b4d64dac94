import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutRequestId, HEAD_CHARACTERS } from "../cut-request-id.js";

const params = { deep: [{ id: 99, text: '"}]{' }], long: "x".repeat(5_000) };
const ends = (line: string): [string, string] => [line.slice(0, HEAD_CHARACTERS), line.slice(-256)];
const idIn = (message: unknown): unknown => cutRequestId(...ends(JSON.stringify(message)));

describe("the id of a request whose line was cut (R22)", () => {
  test.each([
    ["first", { jsonrpc: "2.0", id: 7, method: "tools/call", params }, 7],
    ["first, as text", { id: 'a"\\', jsonrpc: "2.0", method: "tools/call", params }, 'a"\\'],
    ["last, as the v1 SDK writes it", { method: "tools/call", params, jsonrpc: "2.0", id: -7 }, -7],
    ["last but for the version", { method: "tools/call", params, id: "x,y", jsonrpc: "2.0" }, "x,y"],
    ["after something small that is nested", { params: { a: [{}, "]}"] }, id: 3, method: "m", x: params }, 3],
  ])("is found where it is %s", (_where, message, id) => {
    expect(idIn(message)).toBe(id);
    expect(cutRequestId(...ends(` ${JSON.stringify(message, undefined, 1).replaceAll("\n", " ")} \r`))).toBe(id);
  });

  test("is found before the line's end has come, when it is first", () => {
    expect(cutRequestId('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"xxx')).toBe(1);
    expect(cutRequestId('{"method":"m","params":{"a":"xxx')).toBeUndefined();
  });

  test.each([
    ["a notification", { method: "notifications/x", params }],
    ["a response: an answer to it would be taken for one to a request", { jsonrpc: "2.0", id: 1, result: params }],
    ["a response whose id is last", { result: params, jsonrpc: "2.0", id: 1 }],
    ["both", { method: "m", error: {}, params, id: 1 }],
    ["an id that may not be", { id: 1.5, method: "m", params }],
    ["an id that is null", { id: null, method: "m", params }],
    ["an id that is too large", { method: "m", params, id: 1e20 }],
    ["a method that is none", { id: 1, method: 5, params }],
    ["a method that comes late", { params, id: 1, method: "m" }],
    ["an id of something within", { method: "m", params: { ...params, id: 1 } }],
    ["an id within a text", { method: "m", params, text: ',"id":1}' }],
    ["a batch", [{ id: 1, method: "m", params }]],
    ["no object", params.long],
  ])("is not guessed: %s", (_what, message) => {
    expect(idIn(message)).toBeUndefined();
  });

  test("is the right one or none, whatever the members and their order", () => {
    const name = fc.constantFrom("method", "id", "jsonrpc", "params", "result", "x", '"id":1', ',"id":2}');
    const value = fc.oneof(fc.jsonValue(), fc.string(), fc.integer(), fc.constant(params.long), fc.constant(params));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (members) => {
        const message = Object.fromEntries(members);
        const found = idIn(message);
        expect(found === undefined || found === message["id"]).toBe(true);
      }),
    );
  });

  test("is not looked for in what is no JSON", () => {
    for (const text of ["", "{", '{"a', '{"a":tru', '{"method":"\\x","id":1,'])
      expect(cutRequestId(text, text)).toBeUndefined();
  });
});
