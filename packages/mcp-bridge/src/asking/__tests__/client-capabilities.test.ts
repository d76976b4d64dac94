import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { canBeAsked, offersRoots, refusalFor } from "../client-capabilities.js";

const legacy = (capabilities?: JsonObject) =>
  ({ era: "legacy", revision: "2025-11-25", ...(capabilities && { capabilities }) }) as const;
const request = (method: string, params?: JsonObject) =>
  ({ jsonrpc: "2.0", id: 1, method, ...(params && { params }) }) as const;
const elicit = (params: JsonObject = {}) => request("elicitation/create", params);
const sample = (params: JsonObject = {}) => request("sampling/createMessage", params);

describe("what a client is asked (R22): never what it did not declare", () => {
  test.each([
    ["roots", request("roots/list"), { roots: {} }],
    ["a form, of a client that knows nothing else", elicit(), { elicitation: {} }],
    ["a form, of one that says so", elicit({ mode: "form" }), { elicitation: { form: {} } }],
    ["a form, of one that names both", elicit(), { elicitation: { form: {}, url: {} } }],
    ["a URL", elicit({ mode: "url" }), { elicitation: { url: {} } }],
    ["a sampling", sample(), { sampling: {} }],
    ["a sampling with tools", sample({ tools: [] }), { sampling: { tools: {} } }],
    ["a task", sample({ task: {} }), { sampling: {}, tasks: { requests: { sampling: { createMessage: {} } } } }],
    ["how a task is", request("tasks/get"), { tasks: {} }],
    ["what nobody knows", request("x/vendor"), {}],
  ])("%s", (_, asked, capabilities) => {
    expect(refusalFor(asked, legacy(capabilities))).toBeUndefined();
  });

  test.each([
    ["roots", request("roots/list"), { sampling: {} }, "roots"],
    ["a form, of a client that takes URLs only", elicit(), { elicitation: { url: {} } }, "elicitation.form"],
    ["a URL, of one that takes forms", elicit({ mode: "url" }), { elicitation: {} }, "elicitation.url"],
    ["anything, of one that declared nothing", elicit(), undefined, "elicitation"],
    ["a sampling with tools", sample({ toolChoice: {} }), { sampling: {} }, "sampling.tools"],
    ["a task", elicit({ task: {} }), { elicitation: {} }, "tasks.requests.elicitation.create"],
    ["all tasks", request("tasks/list"), { tasks: {} }, "tasks.list"],
    ["what is declared as null", sample(), { sampling: null }, "sampling"],
  ])("not %s", (_, asked, capabilities, missing) => {
    expect(refusalFor(asked, legacy(capabilities))).toMatchObject({
      code: "METHOD_UNKNOWN",
      message: `The client does not offer ${asked.method}: it did not declare ${missing}`,
    });
  });

  test("a modern client is asked nothing, and the upstream is told why", () => {
    const modern = { era: "modern", revision: "2026-07-28", capabilities: { elicitation: {} } } as const;
    expect(refusalFor(elicit(), modern)).toMatchObject({
      message:
        "The client cannot be asked for elicitation/create: it speaks revision 2026-07-28, in which servers send no requests, and the gateway cannot ask in its place yet",
    });
    expect([canBeAsked(modern), offersRoots({ ...modern, capabilities: { roots: {} } })]).toEqual([false, false]);
  });

  test("whether there is anything that a client can be asked", () => {
    expect([canBeAsked(legacy()), canBeAsked(legacy({ experimental: {} }))]).toEqual([false, false]);
    expect([canBeAsked(legacy({ roots: {} })), offersRoots(legacy({ roots: {} }))]).toEqual([true, true]);
  });
});
