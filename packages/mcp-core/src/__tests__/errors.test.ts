import { describe, expect, test } from "vitest";
import { GATEWAY_ERROR_CODES, GatewayError, messageOf } from "../errors.js";

test("the closed set of codes", () => {
  expect(GATEWAY_ERROR_CODES).toEqual([
    "UPSTREAM_UNAVAILABLE",
    "UPSTREAM_TIMEOUT",
    "UPSTREAM_PROTOCOL",
    "UPSTREAM_LIMIT",
    "LIMITED",
    "NOT_READY",
    "FORBIDDEN",
    "TOOL_UNKNOWN",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "PARSE_ERROR",
    "METHOD_UNKNOWN",
    "HEADER_MISMATCH",
    "VERSION_UNSUPPORTED",
    "CAPABILITY_MISSING",
    "CANCELLED",
    "USER_INPUT",
    "REGISTRY_IO",
    "SERVICE_MAP",
    "INTERNAL",
  ]);
});

describe("GatewayError", () => {
  test("carries code, message, data and cause", () => {
    const cause = new Error("below");
    const error = new GatewayError("LIMITED", "too many calls; wait", { cause, data: { retryAfterMs: 5 } });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "GatewayError", code: "LIMITED", message: "too many calls; wait", cause });
    expect(error.data).toEqual({ retryAfterMs: 5 });
    expect(new GatewayError("INTERNAL", "x").data).toBeUndefined();
  });

  test("is known by its marker, so that another copy of the class counts and a look-alike does not", () => {
    const foreign = Object.assign(new Error("x"), { isGatewayError: true, code: "LIMITED" });
    expect(GatewayError.is(new GatewayError("INTERNAL", "x"))).toBe(true);
    expect(GatewayError.is(foreign)).toBe(true);
    expect(GatewayError.is(new Error("x"))).toBe(false);
    expect(GatewayError.is(Object.assign(new Error("x"), { isGatewayError: 1 }))).toBe(false);
    expect(GatewayError.is({ isGatewayError: true, code: "LIMITED", message: "x" })).toBe(false);
    expect(GatewayError.is(undefined)).toBe(false);
  });

  test("from() leaves one of ours alone and wraps anything else with its cause", () => {
    const ours = new GatewayError("FORBIDDEN", "no");
    expect(GatewayError.from(ours, "INTERNAL", "wrapped")).toBe(ours);
    for (const thrown of [new Error("x"), "text", undefined]) {
      const wrapped = GatewayError.from(thrown, "UPSTREAM_PROTOCOL", "the connector answered nonsense");
      expect(wrapped).toMatchObject({ code: "UPSTREAM_PROTOCOL", message: "the connector answered nonsense" });
      expect(wrapped.cause).toBe(thrown);
    }
  });
});

test.each([
  [new Error("boom"), "boom"],
  [new TypeError(""), "TypeError"],
  ["text", "text"],
  ["", "unknown error"],
  [undefined, "unknown error"],
  [null, "unknown error"],
  [{ message: "not an error" }, "unknown error"],
])("messageOf(%o) is %j", (thrown, expected) => {
  expect(messageOf(thrown)).toBe(expected);
});
