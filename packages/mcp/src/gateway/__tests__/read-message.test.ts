import { toJsonRpcError } from "@cortex-os/mcp-core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMessage } from "../read-message.js";

const read = (text: string) => readMessage(Buffer.from(text));
const nested = (depth: number): string => `{"a":`.repeat(depth) + "1" + "}".repeat(depth);

/** Code, message and id of a refusal. */
function refusalOf(text: string): unknown {
  const result = read(text);
  if (result.ok) throw new Error(`accepted: ${text}`);
  const { code, message } = toJsonRpcError(result.error);
  return [code, message, result.id];
}

describe("reading one message", () => {
  test("gives the message as it was sent, with what we do not know", () => {
    const request = {
      jsonrpc: "2.0",
      id: "a",
      method: "tools/call",
      params: { name: "x", "x-more": [1] },
      extra: true,
    };
    expect(read(JSON.stringify(request))).toEqual({ ok: true, message: { kind: "request", message: request } });
    const notification = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    expect(read(JSON.stringify(notification))).toMatchObject({ ok: true, message: { kind: "notification" } });
    expect(read('{"jsonrpc":"2.0","id":1,"result":{}}')).toMatchObject({ ok: true, message: { kind: "response" } });
  });

  test.each(["", " ", "nope", '{"jsonrpc":"2.0"', "{'a':1}", "\uFEFF{}", "NaN"])(
    "%j is no JSON: −32700 without an id",
    (text) => {
      expect(refusalOf(text)).toEqual([-32_700, "The message is not JSON", undefined]);
    },
  );

  test.each(["[]", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'])("the batch %s is refused", (text) => {
    expect(refusalOf(text)).toEqual([
      -32_600,
      "JSON-RPC batches are not supported: send one message per request",
      undefined,
    ]);
  });

  test.each([
    ["null", "a message must be one JSON object", undefined],
    ['"x"', "a message must be one JSON object", undefined],
    ['{"id":1,"method":"x"}', 'jsonrpc must be "2.0"', 1],
    ['{"jsonrpc":"2.0","id":"s"}', "a message needs a method, a result or an error", "s"],
    ['{"jsonrpc":"2.0","id":3,"method":7}', "method must be a string", 3],
    ['{"jsonrpc":"2.0","id":4,"method":"x","params":[]}', "params must be an object", 4],
    ['{"jsonrpc":"2.0","id":null,"method":"x"}', "id must be a string or an integer within ±(2^53 − 1)", undefined],
  ])("%s is −32600 with the reason and the id that could be read", (text, reason, id) => {
    expect(refusalOf(text)).toEqual([-32_600, `Invalid request: ${reason}`, id]);
  });

  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"x"}', "Method"],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}', "Name"],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","ARGUMENTS":{}}}', "ARGUMENTS"],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","argument\u017F":{}}}', "argument\u017F"],
  ])("%s could be read two ways and is refused (GHSA-4gph-2hhr-5mwg)", (text, key) => {
    const reason = `the key ${JSON.stringify(key)} differs from a reserved one in case only`;
    expect(refusalOf(text)).toEqual([-32_600, `Invalid request: ${reason}`, 1]);
  });

  test("a notification that could be read two ways is refused without an id", () => {
    expect(refusalOf('{"jsonrpc":"2.0","method":"x","Params":{}}')).toMatchObject([
      -32_600,
      expect.anything(),
      undefined,
    ]);
  });

  test("depth is bounded at 64 levels, and 200,000 cost nothing but the refusal", () => {
    const withDepth = (depth: number): string => `{"jsonrpc":"2.0","id":1,"method":"x","params":${nested(depth)}}`;
    expect(read(withDepth(63)).ok).toBe(true);
    expect(refusalOf(withDepth(64))).toEqual([-32_600, "Invalid request: nested deeper than 64 levels", 1]);
    expect(refusalOf(withDepth(200_000))).toEqual([-32_600, "Invalid request: nested deeper than 64 levels", 1]);
  });

  test("__proto__ and constructor are keys like any other and change no prototype (threat 6)", () => {
    const result = read('{"jsonrpc":"2.0","id":1,"method":"x","params":{"__proto__":{"polluted":1},"constructor":2}}');
    expect(result.ok).toBe(true);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("never throws, whatever the bytes", () => {
    const almost = fc
      .array(
        fc.constantFrom(
          '{"jsonrpc":"2.0"',
          ',"id":',
          "1",
          ',"method":',
          '"x"',
          ',"params":',
          "{}",
          "}",
          "[",
          "]",
          "null",
          "\u0000",
        ),
      )
      .map((parts) => parts.join(""));
    const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          almost.map((text) => Buffer.from(text)),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (body) => {
          const result = readMessage(body);
          expect(typeof result.ok).toBe("boolean");
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
