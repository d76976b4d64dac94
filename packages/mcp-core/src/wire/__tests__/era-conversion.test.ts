import { describe, expect, test } from "vitest";
import { errorForClient, paramsForUpstream, resultForClient as convert } from "../era-conversion.js";
import type { JsonObject } from "../json-rpc.js";
import { META } from "../meta.js";
import type { Era } from "../revisions.js";

const modern = { era: "modern", revision: "2026-07-28" } as const;
const legacy = { era: "legacy", revision: "2025-11-25" } as const;
const resultForClient = (result: JsonObject, upstream: Era, client: Era, method = "tools/call") =>
  convert(result, { upstream, client, method });

describe("paramsForUpstream (R22)", () => {
  test.each([modern, legacy])("hands on the object itself within one era: %j", (side) => {
    const params = { name: "x", _meta: { [META.logLevel]: "debug" } };
    expect(paramsForUpstream(params, side, side)).toBe(params);
    expect(paramsForUpstream(undefined, side, side)).toEqual({});
  });

  test("takes the modern fields away from a legacy upstream, the progress token not", () => {
    const params = {
      name: "x",
      arguments: { a: 1 },
      _meta: { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {}, progressToken: 7 },
    };
    expect(paramsForUpstream(params, modern, legacy)).toEqual({
      name: "x",
      arguments: { a: 1 },
      _meta: { progressToken: 7 },
    });
    expect(paramsForUpstream(undefined, modern, legacy)).toEqual({});
  });

  test("gives a modern upstream the fields it is owed, and declares no capabilities for a legacy client", () => {
    const clientInfo = { name: "client", version: "1" };
    const params = { name: "x", _meta: { progressToken: 7 } };
    expect(paramsForUpstream(params, { ...legacy, clientInfo }, modern)).toEqual({
      name: "x",
      _meta: {
        progressToken: 7,
        [META.protocolVersion]: "2026-07-28",
        [META.clientCapabilities]: {},
        [META.clientInfo]: clientInfo,
      },
    });
  });

  test("asks a modern upstream for the log messages that a legacy client's session wants", () => {
    expect(paramsForUpstream({}, { ...legacy, logLevel: "warning" }, modern)).toMatchObject({
      _meta: { [META.logLevel]: "warning" },
    });
  });

  test("leaves clientInfo out when the client gave none, and overrules fields a legacy client made up", () => {
    const params = { _meta: { [META.protocolVersion]: "9999-01-01", [META.clientCapabilities]: { sampling: {} } } };
    expect(paramsForUpstream(params, legacy, modern)).toStrictEqual({
      _meta: { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} },
    });
  });
});

describe("resultForClient (R22)", () => {
  test.each(["modern", "legacy"] as const)("hands on the object itself within the %s era", (era) => {
    const result = { resultType: "input_required", content: [] };
    const converted = resultForClient(result, era, era);
    expect(converted).toEqual({ ok: true, result });
    expect(converted.ok && converted.result).toBe(result);
  });

  test("calls a legacy result complete for a modern client, unless it names its type", () => {
    expect(resultForClient({ content: [] }, "legacy", "modern")).toEqual({
      ok: true,
      result: { resultType: "complete", content: [] },
    });
    const own = { resultType: "x" };
    expect(resultForClient(own, "legacy", "modern")).toEqual({ ok: true, result: own });
  });

  test.each([[{ resultType: "complete", content: [], _meta: {} }], [{ content: [], _meta: {} }]])(
    "takes the type away for a legacy client: %j",
    (result) => {
      expect(resultForClient(result, "modern", "legacy")).toEqual({ ok: true, result: { content: [], _meta: {} } });
    },
  );

  test.each([
    ["input_required", "The connector asks for input in a way that needs a client of revision 2026-07-28 or later"],
    ["task", 'The connector answered with a result of type "task", which this client\'s revision cannot carry'],
    [5, "The connector answered with a result of type 5, which this client's revision cannot carry"],
  ])("refuses a result of type %j to a legacy client and says why", (resultType, message) => {
    expect(resultForClient({ resultType, secret: "kept back" }, "modern", "legacy")).toEqual({
      ok: false,
      error: { code: -32_603, message },
    });
  });

  test("a complete result that goes over both eras and back is what it was", () => {
    const result = { resultType: "complete", content: [{ type: "text", text: "x" }] };
    const there = resultForClient(result, "modern", "legacy");
    expect(there.ok && resultForClient(there.result, "legacy", "modern")).toEqual({ ok: true, result });
  });

  test("what a modern client reads from a legacy upstream comes with a hint that forbids keeping it", () => {
    expect(resultForClient({ contents: [] }, "legacy", "modern", "resources/read")).toEqual({
      ok: true,
      result: { resultType: "complete", contents: [], ttlMs: 0, cacheScope: "private" },
    });
  });

  test.each(["tools/list", "prompts/list", "resources/list", "resources/templates/list"])(
    "and so does a %s that a legacy upstream answers itself; no hint goes the other way",
    (method) => {
      const there = resultForClient({ own: [] }, "legacy", "modern", method);
      expect(there).toEqual({ ok: true, result: { resultType: "complete", own: [], ttlMs: 0, cacheScope: "private" } });
      expect(there.ok && resultForClient(there.result, "modern", "legacy", method)).toEqual({
        ok: true,
        result: { own: [] },
      });
    },
  );

  test.each([
    { resultType: "complete" },
    { ttlMs: "soon", cacheScope: "public" },
    { ttlMs: 5, cacheScope: "mine" },
    { ttlMs: -1 },
  ])("also when the upstream says something that is no hint: %j", (said) => {
    expect(resultForClient({ contents: [], ...said }, "legacy", "modern", "resources/read")).toEqual({
      ok: true,
      result: { resultType: "complete", contents: [], ttlMs: 0, cacheScope: "private" },
    });
  });

  test("a hint that an upstream gives unasked stays, and what is no complete result gets none", () => {
    const hinted = { contents: [], ttlMs: 5, cacheScope: "public" };
    expect(resultForClient(hinted, "legacy", "modern", "resources/read")).toMatchObject({ result: hinted });
    const interim = { resultType: "input_required" };
    expect(resultForClient(interim, "legacy", "modern", "resources/read")).toEqual({ ok: true, result: interim });
  });

  test.each([[[1]], ["text"], [null], [5]])(
    "structured content that is %j does not reach a legacy client, who knows objects only",
    (structuredContent) => {
      const content = [{ type: "text", text: JSON.stringify(structuredContent) }];
      const given = { resultType: "complete", content, structuredContent };
      expect(resultForClient(given, "modern", "legacy")).toEqual({ ok: true, result: { content } });
    },
  );

  test("structured content that is an object does", () => {
    const given = { content: [], structuredContent: { a: 1 } };
    expect(resultForClient({ resultType: "complete", ...given }, "modern", "legacy")).toEqual({
      ok: true,
      result: given,
    });
  });

  test("what a legacy client reads from a modern upstream comes without the hints of a later revision", () => {
    const read = { resultType: "complete", contents: [], ttlMs: 5, cacheScope: "public", "x-own": 1 };
    expect(resultForClient(read, "modern", "legacy", "resources/read")).toEqual({
      ok: true,
      result: { contents: [], "x-own": 1 },
    });
  });
});

describe("errorForClient (R22)", () => {
  const notFound = { code: -32_002, message: "Resource not found", data: { uri: "x:y" } };
  const route = (upstream: Era, client: Era) => ({ upstream, client, method: "resources/read" });

  test("a modern client never sees the retired code of a resource that is not there", () => {
    expect(errorForClient(notFound, route("legacy", "modern"))).toEqual({ ...notFound, code: -32_602 });
  });

  test("a modern client never sees the retired code of an elicitation that comes first, but that it is one (T22)", () => {
    const first = { code: -32_042, message: "Authorize first", data: { elicitations: [{ url: "https://a.example" }] } };
    expect(errorForClient(first, route("legacy", "modern"))).toEqual({
      code: -32_603,
      message: "The connector asks for an elicitation first, in a way that needs a client of revision 2025-11-25",
      data: { upstreamCode: -32_042 },
    });
    expect(errorForClient(first, route("legacy", "legacy"))).toBe(first);
  });

  test("that a capability is missing is handed on with what it is, in either era", () => {
    const missing = { code: -32_021, message: "no", data: { requiredCapabilities: { elicitation: {} } } };
    expect(errorForClient(missing, route("modern", "legacy"))).toBe(missing);
    expect(errorForClient(missing, route("modern", "modern"))).toBe(missing);
  });

  test("every other error is handed on as it is", () => {
    expect(errorForClient(notFound, route("legacy", "legacy"))).toBe(notFound);
    const other = { code: 1, message: "own" };
    expect(errorForClient(other, route("legacy", "modern"))).toBe(other);
    expect(errorForClient(other, route("modern", "legacy"))).toBe(other);
  });
});
