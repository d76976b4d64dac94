import { toJsonRpcError } from "@cortex-os/mcp-core";
import {
  encodeHeaderValue,
  META,
  SUPPORTED_REVISIONS,
  type JsonObject,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import * as fc from "fast-check";
import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { unsupportedVersion } from "../../gateway/modern-client.js";
import { validateModern } from "../validate-modern.js";

const META_GOOD: JsonObject = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} };

function messageOf(method: string, params: JsonObject = {}, meta: JsonObject | null = META_GOOD): JsonRpcRequest {
  return { jsonrpc: "2.0", id: 1, method, params: meta === null ? params : { ...params, _meta: meta } };
}

const HEADERS: IncomingHttpHeaders = {
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": "tools/call",
  "mcp-name": "x",
};
const CALL = messageOf("tools/call", { name: "x" });

/** The wire code of the verdict, or `undefined` when all is well. */
function codeOf(message: JsonRpcRequest, headers: IncomingHttpHeaders): number | undefined {
  const error = validateModern(message, headers);
  return error === undefined ? undefined : toJsonRpcError(error).code;
}
const without = (name: string): IncomingHttpHeaders => ({ ...HEADERS, [name]: undefined });

describe("server validation (2026-07-28, Streamable HTTP)", () => {
  test("a request whose headers mirror its body is well", () => {
    expect(validateModern(CALL, HEADERS)).toBeUndefined();
  });

  test.each([
    ["tools/call", { name: "x" }, "x"],
    ["prompts/get", { name: "x" }, "x"],
    ["resources/read", { uri: "file:///projects/myapp/config.json" }, "file:///projects/myapp/config.json"],
    ["resources/read", { uri: "x:Hello, 世界" }, "=?base64?eDpIZWxsbywg5LiW55WM?="],
    ["tools/call", { name: " padded " }, "=?base64?IHBhZGRlZCA=?="],
    ["tools/call", { name: "line1\nline2" }, "=?base64?bGluZTEKbGluZTI=?="],
    ["tools/call", { name: "=?base64?literal?=" }, "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
    ["tools/call", { name: "us-west1" }, "us-west1"],
    ["tools/call", { name: "x" }, "=?base64?eA==?="],
    ["tasks/get", { taskId: "t 1" }, "t 1"],
  ])("%s mirrors its name plain or encoded: %j", (method, params, name) => {
    const headers = { ...HEADERS, "mcp-method": method, "mcp-name": name };
    expect(validateModern(messageOf(method, params), headers)).toBeUndefined();
  });

  test.each(["tasks/get", "tasks/update", "tasks/cancel"])(
    "%s of the tasks extension may come without Mcp-Name, but not with another task's (SEP-2663)",
    (method) => {
      const message = messageOf(method, { taskId: "t-1" });
      expect(codeOf(message, { ...without("mcp-name"), "mcp-method": method })).toBeUndefined();
      expect(codeOf(message, { ...HEADERS, "mcp-method": method, "mcp-name": "t-2" })).toBe(-32_020);
    },
  );

  test.each(["tools/list", "server/discover", "subscriptions/listen", "no/such", "constructor"])(
    "%s carries no Mcp-Name, and one that is sent anyway means nothing",
    (method) => {
      expect(validateModern(messageOf(method), { ...without("mcp-name"), "mcp-method": method })).toBeUndefined();
      expect(validateModern(messageOf(method), { ...HEADERS, "mcp-method": method })).toBeUndefined();
    },
  );

  test.each([
    ["a missing MCP-Protocol-Version", CALL, without("mcp-protocol-version"), "MCP-Protocol-Version is missing"],
    [
      "a version that is not the body's",
      messageOf("tools/call", { name: "x" }, { ...META_GOOD, [META.protocolVersion]: "2099-01-01" }),
      HEADERS,
      'MCP-Protocol-Version "2026-07-28" does not match the body\'s "2099-01-01"',
    ],
    [
      "a version in the body that is no string",
      messageOf("tools/call", { name: "x" }, { ...META_GOOD, [META.protocolVersion]: 2026 }),
      HEADERS,
      'MCP-Protocol-Version "2026-07-28" does not match the body\'s 2026',
    ],
    ["a missing Mcp-Method", CALL, without("mcp-method"), "Mcp-Method is missing"],
    [
      "a method that is not the body's",
      CALL,
      { ...HEADERS, "mcp-method": "tools/list" },
      'Mcp-Method header value "tools/list" does not match body value "tools/call"',
    ],
    [
      "a method in another case",
      CALL,
      { ...HEADERS, "mcp-method": "Tools/Call" },
      'Mcp-Method header value "Tools/Call" does not match body value "tools/call"',
    ],
    [
      "an encoded method, which only names may be",
      CALL,
      { ...HEADERS, "mcp-method": "=?base64?dG9vbHMvY2FsbA==?=" },
      'Mcp-Method header value "=?base64?dG9vbHMvY2FsbA==?=" does not match body value "tools/call"',
    ],
    [
      "a method with characters a header may not hold, also when the body's is the same",
      messageOf("tools/é"),
      { ...HEADERS, "mcp-method": "tools/é" },
      "Mcp-Method contains characters a header may not hold",
    ],
    ["a missing Mcp-Name", CALL, without("mcp-name"), "Mcp-Name is missing; tools/call needs it"],
    [
      "a name that is not the body's",
      messageOf("tools/call", { name: "bar" }),
      { ...HEADERS, "mcp-name": "foo" },
      'Mcp-Name header value "foo" does not match body value "bar"',
    ],
    [
      "a name in another case",
      CALL,
      { ...HEADERS, "mcp-name": "X" },
      'Mcp-Name header value "X" does not match body value "x"',
    ],
    [
      "a name the body lacks",
      messageOf("tools/call"),
      HEADERS,
      'Mcp-Name header value "x" does not match body value (none)',
    ],
    [
      "a name that is a number in the body",
      messageOf("tools/call", { name: 7 }),
      { ...HEADERS, "mcp-name": "7" },
      'Mcp-Name header value "7" does not match body value 7',
    ],
    [
      "the name of another member",
      messageOf("resources/read", { name: "x" }),
      { ...HEADERS, "mcp-method": "resources/read" },
      'Mcp-Name header value "x" does not match body value (none)',
    ],
    [
      "a name with characters a header may not hold",
      CALL,
      { ...HEADERS, "mcp-name": "é" },
      "Mcp-Name contains characters a header may not hold",
    ],
    [
      "broken Base64",
      CALL,
      { ...HEADERS, "mcp-name": "=?base64?!?=" },
      "Mcp-Name is not valid Base64 between its markers",
    ],
    [
      "markers in capitals, which are taken literally",
      CALL,
      { ...HEADERS, "mcp-name": "=?BASE64?eA==?=" },
      'Mcp-Name header value "=?BASE64?eA==?=" does not match body value "x"',
    ],
    [
      "two names that Node joined",
      CALL,
      { ...HEADERS, "mcp-name": ["x", "y"] as never },
      'Mcp-Name header value "x, y" does not match body value "x"',
    ],
  ])("%s is −32020", (_what, message, headers, text) => {
    const error = validateModern(message, headers);
    expect(error === undefined ? undefined : toJsonRpcError(error)).toEqual({
      code: -32_020,
      message: `Header mismatch: ${text}`,
    });
  });

  test.each(["2099-01-01", "2026-07-29", "2025-11-25", "1.0", ""])(
    "a revision we do not speak (%j) is −32022 with those we do",
    (version) => {
      const message = messageOf("tools/call", { name: "x" }, { ...META_GOOD, [META.protocolVersion]: version });
      const error = validateModern(message, { ...HEADERS, "mcp-protocol-version": version });
      expect(error === undefined ? undefined : toJsonRpcError(error)).toEqual({
        code: -32_022,
        message: "Unsupported protocol version",
        data: { supported: SUPPORTED_REVISIONS, requested: version },
      });
    },
  );

  test("a long version is not repeated whole", () => {
    expect(unsupportedVersion("9".repeat(5_000)).data?.["requested"]).toHaveLength(100);
  });

  test.each([
    ["no _meta at all", messageOf("tools/call", { name: "x" }, null), META.protocolVersion],
    ["a _meta that is none", messageOf("tools/call", { name: "x", _meta: [] }, null), META.protocolVersion],
    ["no params", { jsonrpc: "2.0", id: 1, method: "tools/call" } as const, META.protocolVersion],
    [
      "no protocolVersion",
      messageOf("tools/call", { name: "x" }, { [META.clientCapabilities]: {} }),
      META.protocolVersion,
    ],
    [
      "no clientCapabilities",
      messageOf("tools/call", { name: "x" }, { [META.protocolVersion]: "2026-07-28" }),
      META.clientCapabilities,
    ],
    [
      "clientCapabilities that are none",
      messageOf("tools/call", { name: "x" }, { ...META_GOOD, [META.clientCapabilities]: true }),
      META.clientCapabilities,
    ],
  ])("%s is −32602 (basic, _meta: required fields)", (_what, message, field) => {
    const error = validateModern(message, HEADERS);
    expect(error === undefined ? undefined : toJsonRpcError(error)).toEqual({
      code: -32_602,
      message: `params._meta is missing the required field ${field}`,
    });
  });
});

describe("header and body (reliability.md, threat 4)", () => {
  const METHODS = ["tools/call", "prompts/get", "resources/read", "tools/list", "server/discover"] as const;
  const text = fc.oneof(
    fc.constantFrom("x", "X", "x ", " x", "x\t", "", "=?base64?eA==?=", "eA==", "é", "ｘ", "x\u0000", "a__b", "тools"),
    fc.string({ unit: "grapheme", maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  const version = fc.constantFrom("2026-07-28", "2025-11-25", "2026-07-28 ", "2099-01-01");
  const method = fc.oneof(fc.constantFrom<string>(...METHODS), text);
  /** As a header carries it: encoded by the rules, as it is, or cut off. */
  const header = (value: fc.Arbitrary<string>): fc.Arbitrary<string | undefined> =>
    fc.oneof(value.map(encodeHeaderValue), value, fc.constant(undefined));

  /** What RFC 9110 and the specification make of a header, written anew: blanks are HTTP's, the rest must be ASCII. */
  const meant = (raw: string): string => {
    const value = raw.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
    const encoded = /^=\?base64\?(?<body>[A-Za-z0-9+/]*={0,2})\?=$/.exec(value)?.groups?.["body"];
    return encoded === undefined ? value : Buffer.from(encoded, "base64").toString("utf8");
  };

  test("that disagree are refused, those that agree are not: 100,000 requests, 0 mismatches let through", () => {
    let agreed = 0;
    fc.assert(
      fc.property(
        fc.record({ headerVersion: fc.option(version, { nil: undefined }), bodyVersion: version }),
        fc.record({ headerMethod: header(method), bodyMethod: method }),
        fc.record({ headerName: header(text), bodyName: fc.oneof(text, fc.constantFrom(undefined, null, 7)) }),
        fc.boolean(),
        ({ headerVersion, bodyVersion }, methods, { headerName, bodyName }, same) => {
          const { bodyMethod } = methods;
          const headerMethod = same ? bodyMethod : methods.headerMethod;
          const source = bodyMethod === "resources/read" ? "uri" : "name";
          const message = messageOf(
            bodyMethod,
            { [source]: bodyName },
            { ...META_GOOD, [META.protocolVersion]: bodyVersion },
          );
          const name = same && typeof bodyName === "string" ? encodeHeaderValue(bodyName) : headerName;
          const code = codeOf(message, {
            "mcp-protocol-version": headerVersion,
            "mcp-method": headerMethod,
            "mcp-name": name,
          });
          const named = bodyMethod === "tools/call" || bodyMethod === "prompts/get" || bodyMethod === "resources/read";
          if (code === undefined) {
            agreed += 1;
            expect(headerVersion).toBe(bodyVersion);
            expect(headerMethod).toBe(bodyMethod);
            if (named) expect(meant(name ?? "(missing)")).toBe(bodyName);
          } else if (headerVersion === bodyVersion && bodyVersion === "2026-07-28" && headerMethod === bodyMethod) {
            // Refused although version and method agree: then the name does not, or the method is none that HTTP can carry.
            const carried = /^[\t\x20-\x7e]*$/.test(bodyMethod);
            expect(
              carried &&
                (!named || (same && typeof bodyName === "string" && Buffer.from(bodyName).toString() === bodyName)),
            ).toBe(false);
          }
        },
      ),
      { numRuns: 100_000 },
    );
    expect(agreed).toBeGreaterThan(1_000);
  });
});
