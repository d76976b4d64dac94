import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerForm } from "../answer-reader.js";
import { quoteUpstream } from "../../upstream-text.js";
import { codeOf, connectionFailure } from "../failures.js";
import { withMirroredParams } from "../param-headers.js";
import { modernHeaders, rawHeaders } from "../request-headers.js";
import { withinTime } from "../time-limit.js";
import { timeoutFailure } from "../failures.js";
import { LEGACY_CALLER, MODERN_CALLER, toolCall } from "./open-link.js";

describe("a time limit", () => {
  const late = () => timeoutFailure("up", 5);

  test("ends the work, and leaves neither timer nor listener behind", async () => {
    const time = new ManualTime();
    const controller = new AbortController();
    const signals = [controller.signal, undefined];
    const hang = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    const limited = expect(withinTime(time, 5, late, signals, hang)).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
    });
    await time.advance(5);
    await limited;
    expect(await withinTime(time, 5, late, signals, () => Promise.resolve("done"))).toBe("done");
    expect(time.pending).toBe(0);
  });
});

describe("failures", () => {
  test.each([
    [Object.assign(new Error("secret path"), { code: "ENOTFOUND" }), "the host name is not known"],
    [new AggregateError([Object.assign(new Error("secret path"), { code: "ECONNREFUSED" })]), "connection refused"],
    [
      new Error("secret path", { cause: Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" }) }),
      "(CERT_HAS_EXPIRED)",
    ],
    [
      Object.assign(new Error("secret path"), { code: "HPE_INVALID_CONSTANT" }),
      "the response is not HTTP (HPE_INVALID_CONSTANT)",
    ],
    [new Error("secret path"), "the connection failed"],
    ["secret path", "the connection failed"],
  ])("say why by the error's code alone", (error, text) => {
    const { message } = connectionFailure("up", error, false);
    expect(message).toContain(text);
    expect(message).not.toContain("secret path");
  });

  test("an aggregate that is empty has no code", () => {
    expect(codeOf(new AggregateError([]))).toBeUndefined();
  });

  test("quotes of an upstream are one printable line of at most 200 characters, marked as such", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (text) => {
        const quote = quoteUpstream(text);
        expect(quote).toMatch(/^\((?:no text|upstream text: ".{1,200}")\)$/u);
        expect(quote).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Cs}/u);
      }),
    );
    expect(quoteUpstream("\u202eab\n c")).toBe('(upstream text: "ab c")');
    expect(quoteUpstream(" \u0000 ")).toBe("(no text)");
  });
});

test.each([
  ["application/json", "json"],
  ["Application/JSON ; charset=utf-8", "json"],
  ["text/event-stream;x=y", "sse"],
  ["application/jsonp", undefined],
  ["", undefined],
  [undefined, undefined],
])("the content type %j announces %j", (type, form) => {
  expect(answerForm(type)).toBe(form);
});

describe("headers of a modern request", () => {
  test.each<[string, JsonObject | undefined, string[]]>([
    ["tools/call", { name: "x" }, ["mcp-name", "x"]],
    ["prompts/get", { name: "p" }, ["mcp-name", "p"]],
    ["resources/read", { uri: "file:///ä" }, ["mcp-name", `=?base64?${Buffer.from("file:///ä").toString("base64")}?=`]],
    ["tools/call", { name: 5 }, []],
    ["tools/list", undefined, []],
    ["constructor", { name: "x" }, []],
  ])("%s mirrors %j", (method, params, mirrored) => {
    expect(modernHeaders("2026-07-28", method, params)).toEqual([
      "mcp-protocol-version",
      "2026-07-28",
      "mcp-method",
      method,
      ...mirrored,
    ]);
  });

  test("a raw exchange may set everything but what is HTTP's own", () => {
    expect(rawHeaders({ Accept: "x", Host: "evil", "Mcp-Session-Id": "s", Upgrade: "h2" })).toEqual([
      "accept",
      "x",
      "mcp-session-id",
      "s",
    ]);
  });
});

test("the gateway mirrors for clients that have no headers to do it with, and only where the tool asks for it", () => {
  const mirrored = new Map([["echo", [{ header: "mcp-param-a", path: ["a"] }]]]);
  for (const caller of [LEGACY_CALLER, MODERN_CALLER])
    expect(withMirroredParams(toolCall(caller), mirrored).paramHeaders).toEqual({ "mcp-param-a": "1" });
  for (const call of [
    { ...toolCall(MODERN_CALLER), paramHeaders: {} },
    toolCall(LEGACY_CALLER, 1, {}, "other"),
    { ...toolCall(LEGACY_CALLER), method: "ping" },
    { ...toolCall(LEGACY_CALLER), params: undefined },
  ]) {
    expect(withMirroredParams(call, mirrored)).toBe(call);
  }
  const call = toolCall(LEGACY_CALLER);
  expect(withMirroredParams(call, new Map())).toBe(call);
});
