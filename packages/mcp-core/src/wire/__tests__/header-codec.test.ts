import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHeaderValue, encodeHeaderValue, HEADER, NAME_SOURCE } from "../header-codec.js";

/** Any string at all, lone surrogates and control characters included. */
const anyString = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
/** Strings that come close to the encoding's own markers. */
const nearMarkers = fc
  .array(fc.constantFrom("=?base64?", "=?BASE64?", "?=", "=", "?", "QUJD", "4pyT", " ", "\t", "\n", "é", "a"))
  .map((parts) => parts.join(""));

describe("the header codec (2026-07-28, Streamable HTTP, Value Encoding)", () => {
  test.each([
    ["plain ASCII", "us-west1", "us-west1"],
    ["non-ASCII", "Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="],
    ["leading and trailing spaces", " padded ", "=?base64?IHBhZGRlZCA=?="],
    ["a newline", "line1\nline2", "=?base64?bGluZTEKbGluZTI=?="],
    ["the sentinel pattern", "=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
    ["the smallest sentinel pattern, whose markers overlap", "=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="],
    ["a leading tab", "\tx", "=?base64?CXg=?="],
    ["a trailing tab", "x\t", "=?base64?eAk=?="],
    ["inner spaces and tabs", "a b\tc", "a b\tc"],
    ["a DEL", "\u007f", "=?base64?fw==?="],
    ["nothing", "", ""],
    ["a start marker alone", "=?base64?abc", "=?base64?abc"],
    ["an end marker alone", "abc?=", "abc?="],
    ["markers in capitals", "=?BASE64?QUJD?=", "=?BASE64?QUJD?="],
  ])("writes %s as the table says and reads it back", (_reason, value, header) => {
    expect(encodeHeaderValue(value)).toBe(header);
    expect(decodeHeaderValue(header)).toEqual({ ok: true, value });
  });

  test.each([
    ["spaces and tabs around it, which are HTTP's", " \t x y \t ", "x y"],
    ["nothing but blanks", " \t ", ""],
    ["markers in capitals, literally", "=?BASE64?SGk=?=", "=?BASE64?SGk=?="],
    ["markers that overlap, literally", "=?base64?=", "=?base64?="],
    ["nothing between the markers", "=?base64??=", ""],
    ["a byte order mark inside Base64, which is kept", "=?base64?77u/YQ==?=", "\uFEFFa"],
  ])("reads %s", (_what, header, value) => {
    expect(decodeHeaderValue(header)).toEqual({ ok: true, value });
  });

  test.each([
    ["a NUL", "a\0b", "contains characters a header may not hold"],
    ["a line break", "a\r\nX-Evil: 1", "contains characters a header may not hold"],
    ["non-ASCII", "é", "contains characters a header may not hold"],
    ["a blank that is none of HTTP's", "\u00a0x", "contains characters a header may not hold"],
    ["broken Base64", "=?base64?SGVsb!?=", "is not valid Base64 between its markers"],
    ["Base64 without its padding", "=?base64?SGk?=", "is not valid Base64 between its markers"],
    ["the URL alphabet", "=?base64?_-__?=", "is not valid Base64 between its markers"],
    ["Base64 with bits to spare", "=?base64?QR==?=", "is not valid Base64 between its markers"],
    ["bytes that are not UTF-8", "=?base64?/w==?=", "is not UTF-8 once decoded"],
    ["an overlong UTF-8 form", "=?base64?wIA=?=", "is not UTF-8 once decoded"],
  ])("refuses %s and says why", (_what, header, reason) => {
    expect(decodeHeaderValue(header)).toEqual({ ok: false, reason });
  });

  test("gives back every well-formed string", () => {
    const wellFormed = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), nearMarkers);
    fc.assert(
      fc.property(wellFormed, (value) => {
        expect(decodeHeaderValue(encodeHeaderValue(value))).toEqual({ ok: true, value });
      }),
      { numRuns: 1_000 },
    );
  });

  test("writes only what a header may hold, whatever it is given, and reads it again", () => {
    fc.assert(
      fc.property(fc.oneof(anyString, nearMarkers), (value) => {
        const header = encodeHeaderValue(value);
        expect(header).toMatch(/^(?:[!-~](?:[ -~\t]*[!-~])?)?$/);
        expect(decodeHeaderValue(header)).toEqual({ ok: true, value: Buffer.from(value, "utf8").toString("utf8") });
      }),
      { numRuns: 1_000 },
    );
  });

  test("reads any string without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(anyString, nearMarkers), (raw) => {
        const decoded = decodeHeaderValue(raw);
        expect(typeof (decoded.ok ? decoded.value : decoded.reason)).toBe("string");
      }),
      { numRuns: 2_000 },
    );
  });

  test("reads and writes megabytes without a stack overflow", () => {
    const spaces = `x${" ".repeat(4_000_000)}x`;
    expect(decodeHeaderValue(encodeHeaderValue(spaces))).toEqual({ ok: true, value: spaces });
    const encoded = "é".repeat(2_000_000);
    expect(decodeHeaderValue(encodeHeaderValue(encoded))).toEqual({ ok: true, value: encoded });
  });
});

describe("NAME_SOURCE", () => {
  test("names the member that Mcp-Name mirrors for three methods, and for those of the tasks extension", () => {
    expect(Object.entries(NAME_SOURCE)).toEqual([
      ["tools/call", "name"],
      ["prompts/get", "name"],
      ["resources/read", "uri"],
      ["tasks/get", "taskId"],
      ["tasks/update", "taskId"],
      ["tasks/cancel", "taskId"],
    ]);
  });

  test.each(["constructor", "toString", "__proto__", "hasOwnProperty", "tools/list"])(
    "knows nothing of a method called %s",
    (method) => {
      expect(NAME_SOURCE[method]).toBeUndefined();
    },
  );
});

test("header names are lower-case, as Node gives them", () => {
  expect(HEADER).toEqual({
    protocolVersion: "mcp-protocol-version",
    method: "mcp-method",
    name: "mcp-name",
    sessionId: "mcp-session-id",
    lastEventId: "last-event-id",
    paramPrefix: "mcp-param-",
  });
});
