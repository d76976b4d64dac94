import { describe, expect, test } from "vitest";
import { GATEWAY_ERROR_CODES, GatewayError } from "../errors.js";
import { modernHttpStatus, toJsonRpcError, WIRE_CODE } from "../json-rpc-error.js";

/** Code, wire code, HTTP status in the modern era, and whether the message may be shown. */
const TABLE = [
  ["UPSTREAM_UNAVAILABLE", -31_001, 200, "shown"],
  ["UPSTREAM_TIMEOUT", -31_002, 200, "shown"],
  ["UPSTREAM_PROTOCOL", -31_001, 200, "shown"],
  ["UPSTREAM_LIMIT", -31_003, 200, "shown"],
  ["LIMITED", -31_003, 200, "shown"],
  ["NOT_READY", -31_004, 200, "shown"],
  ["FORBIDDEN", -31_005, 200, "shown"],
  ["TOOL_UNKNOWN", -32_602, 200, "shown"],
  ["INVALID_PARAMS", -32_602, 200, "shown"],
  ["INVALID_REQUEST", -32_600, 400, "shown"],
  ["PARSE_ERROR", -32_700, 400, "shown"],
  ["METHOD_UNKNOWN", -32_601, 404, "shown"],
  ["HEADER_MISMATCH", -32_020, 400, "shown"],
  ["VERSION_UNSUPPORTED", -32_022, 400, "shown"],
  ["CAPABILITY_MISSING", -32_021, 400, "shown"],
  ["CANCELLED", -32_603, 200, "shown"],
  ["USER_INPUT", -32_603, 200, "hidden"],
  ["REGISTRY_IO", -32_603, 200, "hidden"],
  ["SERVICE_MAP", -32_603, 200, "hidden"],
  ["INTERNAL", -32_603, 200, "hidden"],
] as const;

test("the table names every code once", () => {
  expect(TABLE.map(([code]) => code)).toEqual(GATEWAY_ERROR_CODES);
  expect(Object.keys(WIRE_CODE).toSorted()).toEqual(GATEWAY_ERROR_CODES.toSorted());
});

test("no code of ours is in -32000…-32019, and none in -32020…-32099 that the specification does not define (T22)", () => {
  const reserved = Object.values(WIRE_CODE).filter((code) => code <= -32_000 && code >= -32_099);
  expect(reserved.toSorted((a, b) => a - b)).toEqual([-32_022, -32_021, -32_020]);
});

describe("toJsonRpcError and modernHttpStatus (design.md, decision 7)", () => {
  test.each(TABLE)("%s becomes %i with HTTP %i, its message %s", (code, wireCode, status, shown) => {
    const error = new GatewayError(code, "what, where, what to do", { data: { hint: 1 } });
    const hidden = { code: -32_603, message: "Internal error" };
    const whole = { code: wireCode, message: "what, where, what to do", data: { hint: 1 } };
    expect(toJsonRpcError(error)).toEqual(shown === "hidden" ? hidden : whole);
    expect(modernHttpStatus(error)).toBe(status);
  });

  test("has no data where the error has none", () => {
    expect(toJsonRpcError(new GatewayError("LIMITED", "x"))).toStrictEqual({ code: -31_003, message: "x" });
  });

  test("a detail is for operators: it never crosses", () => {
    const error = new GatewayError("UPSTREAM_UNAVAILABLE", "it is gone", { detail: "its last words: secret" });
    expect(error.detail).toBe("its last words: secret");
    expect(toJsonRpcError(error)).toEqual({ code: -31_001, message: "it is gone" });
  });

  test.each(TABLE)("%s lets no cause, stack or stray member cross", (code) => {
    const cause = new Error("open '/home/someone/.ssh/id_rsa': token=s3cr3t");
    const error = Object.assign(new GatewayError(code, "x", { cause }), { path: "/home/someone", token: "s3cr3t" });
    const wire = JSON.stringify(toJsonRpcError(error));
    expect(wire).not.toMatch(/home|s3cr3t|id_rsa|stack|cause|\.ts/);
  });

  test.each(["USER_INPUT", "REGISTRY_IO", "INTERNAL"] as const)(
    "%s hides its own message and data, which may hold a path",
    (code) => {
      const wire = JSON.stringify(
        toJsonRpcError(new GatewayError(code, "/home/x is torn", { data: { file: "/home/x" } })),
      );
      expect(wire).toBe('{"code":-32603,"message":"Internal error"}');
    },
  );

  test.each([
    ["an Error", new Error("/etc/passwd")],
    ["a rejection without a reason", undefined],
    ["a string", "s3cr3t"],
    ["an object that looks like one of ours", { isGatewayError: true, code: "LIMITED", message: "s3cr3t" }],
    ["an object that looks like a JSON-RPC error", { code: -32_602, message: "s3cr3t", data: "s3cr3t" }],
  ])("%s is an internal error with nothing of it shown", (_what, thrown) => {
    expect(toJsonRpcError(thrown)).toEqual({ code: -32_603, message: "Internal error" });
    expect(modernHttpStatus(thrown)).toBe(200);
  });
});
