import { describe, expect, test } from "vitest";
import { partOfResources, partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import { Catalog } from "../../catalog/catalog.js";
import { targetOf, type TargetedCall } from "../call-target.js";

const catalog = new Catalog([
  partOfTools("t", [toolOf("x")]),
  partOfResources("a", { uris: ["x:a", "x:both"], templates: ["x:t/{id}"], prompts: ["p"] }),
  partOfResources("b", { uris: ["x:both"], templates: ["x:b/{id}"] }),
]);
const to = (method: string, params: object | undefined, sole?: string): TargetedCall =>
  targetOf(catalog, method, params === undefined ? undefined : { ...params }, () => sole);

describe("where a request goes (R22)", () => {
  test.each<[string, object, string, object]>([
    ["tools/call", { name: "t__x", arguments: { a: 1 } }, "t", { name: "x", arguments: { a: 1 } }],
    ["prompts/get", { name: "a__p", "x-own": 1 }, "a", { name: "p", "x-own": 1 }],
    ["resources/read", { uri: "x:a", _meta: { k: 1 } }, "a", { uri: "x:a", _meta: { k: 1 } }],
    ["resources/read", { uri: "cortex://b/x%3Aboth" }, "b", { uri: "x:both" }],
    ["resources/read", { uri: "x:b/7" }, "b", { uri: "x:b/7" }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "a__p", title: "T" }, argument: { name: "n", value: "v" } },
      "a",
      { ref: { type: "ref/prompt", name: "p", title: "T" }, argument: { name: "n", value: "v" } },
    ],
    [
      "completion/complete",
      { ref: { type: "ref/resource", uri: "x:t/{id}" }, argument: { name: "id", value: "" } },
      "a",
      { ref: { type: "ref/resource", uri: "x:t/{id}" }, argument: { name: "id", value: "" } },
    ],
    ["vendor/about-a-tool", { name: "t__x" }, "t", { name: "x" }],
    ["vendor/about-a-prompt", { name: "a__p" }, "a", { name: "p" }],
    ["vendor/about-a-resource", { uri: "cortex://b/x%3Aboth" }, "b", { uri: "x:both" }],
    [
      "vendor/about-a-ref",
      { ref: { type: "ref/prompt", name: "a__p" } },
      "a",
      { ref: { type: "ref/prompt", name: "p" } },
    ],
  ])("%s with %j goes to %s, in its words", (method, params, connector, own) => {
    expect(to(method, params)).toEqual({ ok: true, target: { connector, params: own } });
  });

  test("what needs no other name is the very object that was authorised", () => {
    const params = { uri: "x:a" };
    const targeted = targetOf(catalog, "resources/read", params, () => undefined);
    expect(targeted.ok && targeted.target.params).toBe(params);
  });

  test.each([
    ["tools/call", undefined, "params.name must be the name of a tool"],
    ["tools/call", { name: 7 }, "params.name must be the name of a tool"],
    ["prompts/get", {}, "params.name must be the name of a prompt"],
    ["resources/read", { uri: null }, "params.uri must be the URI of a resource"],
    ["completion/complete", { ref: { type: "ref/prompt" } }, "params.ref must be"],
    ["completion/complete", { ref: "ref/prompt" }, "params.ref must be"],
    ["completion/complete", undefined, "params.ref must be"],
  ])("%s with %j is malformed: −32602, whatever connectors may come", (method, params, message) => {
    const targeted = to(method, params, "t");
    expect(targeted).toMatchObject({ ok: false, isMalformed: true, error: { code: "INVALID_PARAMS" } });
    expect(!targeted.ok && targeted.error.message).toContain(message);
  });

  test.each([
    ["tools/call", { name: "t__y" }, "TOOL_UNKNOWN", 'Unknown tool: "t__y"', { kind: "tool", id: "t__y" }],
    ["prompts/get", { name: "t__x" }, "INVALID_PARAMS", 'Unknown prompt: "t__x"', { kind: "prompt", id: "t__x" }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "q" } },
      "INVALID_PARAMS",
      'Unknown prompt: "q"',
      { kind: "prompt", id: "q" },
    ],
    [
      "resources/read",
      { uri: "cortex://nobody/x" },
      "INVALID_PARAMS",
      'Unknown resource: "cortex://nobody/x"',
      { kind: "resource", id: "cortex://nobody/x" },
    ],
  ])("%s with %j is not there", (method, params, code, message, missing) => {
    expect(to(method, params, "t")).toMatchObject({ ok: false, error: { code, message }, missing });
  });

  test("a resource that could be several connectors' is refused, with what to ask for instead", () => {
    expect(to("resources/read", { uri: "x:both" })).toMatchObject({
      ok: false,
      error: {
        code: "INVALID_PARAMS",
        message:
          'It is not known whose resource "x:both" is: ask for one of "cortex://a/x%3Aboth", "cortex://b/x%3Aboth"',
        data: { uri: "x:both", candidates: ["a", "b"] },
      },
    });
  });

  test("a method that nobody here knows goes unchanged to the only connector there is, else nowhere", () => {
    const params = { deep: [{ "x-own": 1 }] };
    expect(to("vendor/do", params, "t")).toEqual({ ok: true, target: { connector: "t", params } });
    expect(to("vendor/do", undefined, "t")).toEqual({ ok: true, target: { connector: "t", params: undefined } });
    expect(to("vendor/do", params)).toMatchObject({ ok: false, error: { code: "METHOD_UNKNOWN" } });
    expect(to("vendor/do", { uri: "x:both" })).toMatchObject({ ok: false, error: { code: "METHOD_UNKNOWN" } });
    expect(to("vendor/do", { ref: { type: "?" } })).toMatchObject({ ok: false, error: { code: "METHOD_UNKNOWN" } });
  });

  test.each([
    "",
    "initialize",
    "Tools/Call",
    "TOOLS/LIST",
    "sampling/createMessage",
    "roots/list",
    "notifications/cancelled",
    "Notifications/x",
    "x".repeat(257),
  ])("%j is never passed on, also when it names a tool", (method) => {
    expect(to(method, { name: "t__x" }, "t")).toMatchObject({ ok: false, error: { code: "METHOD_UNKNOWN" } });
  });

  test("a URI that no client should send is refused like any other: half a surrogate pair must not end the gateway", () => {
    expect(to("resources/read", { uri: "q:\ud800" })).toMatchObject({
      ok: false,
      error: { code: "INVALID_PARAMS", data: { candidates: ["a", "b"] } },
    });
  });
});
