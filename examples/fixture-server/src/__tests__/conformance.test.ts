import { ManualTime } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { FixtureHttpOptions } from "../http/start-fixture-http.js";
import {
  errorOf,
  json,
  legacy,
  META_FIELDS,
  modern,
  openLegacy,
  openSession,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();
const EVERYTHING = { elicitation: {}, sampling: {}, roots: {} };
const FORM_ANSWER = { action: "accept", content: { name: "Ada", username: "ada", email: "a@b.c" } };
const SAMPLE = { role: "assistant", content: { type: "text", text: "Paris" }, model: "m" };
const ROOTS = { roots: [{ uri: "file:///a" }] };

type Ask = (method: string, params?: JsonObject) => Promise<JsonObject>;

async function asking(options: FixtureHttpOptions = {}, capabilities: JsonObject = {}): Promise<Ask> {
  const { url } = await start({ conformance: true, ...options });
  const _meta = { ...META_FIELDS, [META.clientCapabilities]: capabilities };
  return async (method, params = {}) => json(await modern(url, method, { _meta, ...params }));
}

const names = async (ask: Ask, method: string, member: string): Promise<string[]> =>
  ((await ask(method))["result"] as Record<string, { name: string }[]>)[member]?.map(({ name }) => name) ?? [];

describe("what the official suite asks for by name (R23)", () => {
  test("is there with the option, and not without", async () => {
    const [plain, full] = [await asking({ conformance: false }), await asking()];
    for (const [method, member, count] of [
      ["tools/list", "tools", 27],
      ["prompts/list", "prompts", 5],
      ["resources/list", "resources", 4],
      ["resources/templates/list", "resourceTemplates", 1],
    ] as const) {
      const before = await names(plain, method, member);
      const all = await names(full, method, member);
      expect(all).toEqual(expect.arrayContaining(before));
      expect([method, all.length - before.length]).toEqual([method, count]);
    }
  });

  test("tools with content of one kind always give the same", async () => {
    const ask = await asking();
    const types = async (name: string): Promise<string[]> =>
      ((await ask("tools/call", { name }))["result"] as { content: { type: string }[] }).content.map(
        ({ type }) => type,
      );
    expect(await types("test_simple_text")).toEqual(["text"]);
    expect(await types("test_image_content")).toEqual(["image"]);
    expect(await types("test_audio_content")).toEqual(["audio"]);
    expect(await types("test_embedded_resource")).toEqual(["resource"]);
    expect(await types("test_multiple_content_types")).toEqual(["text", "image", "resource"]);
    expect(await ask("tools/call", { name: "test_error_handling" })).toMatchObject({ result: { isError: true } });
    const args = { name: "n", phone: "1" };
    expect(await ask("tools/call", { name: "json_schema_2020_12_tool", arguments: args })).toMatchObject({
      result: { structuredContent: args },
    });
  });

  test("tools that log and tell their progress do so three times, over a tenth of a second", async () => {
    const timers = new ManualTime();
    const { url } = await start({ conformance: true, timers });
    const session = await openSession(url);
    await legacy(url, { id: 0, method: "logging/setLevel", params: { level: "info" } }, session);
    for (const name of ["test_tool_with_logging", "test_tool_with_progress"]) {
      const call = await openLegacy(url, session, {
        id: 1,
        method: "tools/call",
        params: { name, _meta: { progressToken: "t" } },
      });
      for (const count of [1, 2]) {
        await vi.waitFor(() => {
          expect(call.messages).toHaveLength(count);
        });
        await timers.advance(50);
      }
      await call.ended;
      expect(call.messages).toHaveLength(4);
    }
    const logged = await legacy(url, { id: 2, method: "tools/call", params: { name: "test_logging_tool" } }, session);
    expect(logged.text).toContain("notifications/message");
  });

  test("prompts give what they are asked to, and complete an argument", async () => {
    const ask = await asking({}, EVERYTHING);
    const get = async (name: string, args: JsonObject = {}): Promise<string> =>
      JSON.stringify(await ask("prompts/get", { name, arguments: args }));
    expect(await get("test_simple_prompt")).toContain("This is a simple prompt for testing.");
    expect(await get("test_prompt_with_arguments", { arg1: "hello", arg2: "world" })).toContain(
      "Prompt with arguments: arg1='hello', arg2='world'",
    );
    expect(await get("test_prompt_with_embedded_resource", { resourceUri: "test://r" })).toContain('"uri":"test://r"');
    expect(await get("test_prompt_with_image")).toContain("image/png");
    const completed = await ask("completion/complete", {
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: "test" },
    });
    expect(completed).toMatchObject({ result: { completion: { values: ["test value of arg1"] } } });
    const asked = await ask("prompts/get", { name: "test_input_required_result_prompt" });
    const { requestState } = asked["result"] as JsonObject;
    const inputResponses = { user_context: { action: "accept", content: { context: "bees" } } };
    const params = { name: "test_input_required_result_prompt", inputResponses, requestState };
    expect(JSON.stringify(await ask("prompts/get", params))).toContain("bees");
  });

  test("resources and the template can be read, and the first one listed without a question", async () => {
    const ask = await asking();
    const read = async (uri: string): Promise<string> => JSON.stringify(await ask("resources/read", { uri }));
    expect(await read("test://static-text")).toContain("This is the content of the static text resource.");
    expect(await read("test://static-binary")).toContain('"mimeType":"image/png","blob":');
    expect(await read("test://template/123/data")).toContain('\\"id\\":\\"123\\"');
    expect(await read("test://template//data")).toContain("Resource not found");
    expect((await names(ask, "resources/list", "resources"))[0]).toBe("about");
    const completed = await ask("completion/complete", {
      ref: { type: "ref/resource", uri: "test://template/{id}/data" },
      argument: { name: "id", value: "" },
    });
    expect(completed).toMatchObject({ result: { completion: { values: [] } } });
  });

  test("triggers change a list each time, and back", async () => {
    const ask = await asking();
    for (const [thing, triggered] of [
      ["tool", "test_triggered_tool"],
      ["prompt", "test_triggered_prompt"],
    ] as const) {
      const list = async (): Promise<string[]> => names(ask, `${thing}s/list`, `${thing}s`);
      await ask("tools/call", { name: `test_trigger_${thing}_change` });
      expect(await list()).toContain(triggered);
      const method = thing === "tool" ? "tools/call" : "prompts/get";
      expect(JSON.stringify(await ask(method, { name: triggered }))).toContain("I came by a change");
      await ask("tools/call", { name: `test_trigger_${thing}_change` });
      expect(await list()).not.toContain(triggered);
    }
  });

  test.each([
    ["test_sampling", { prompt: "?" }, "sampling/createMessage", SAMPLE, "LLM response"],
    ["test_elicitation", { message: "?" }, "elicitation/create", FORM_ANSWER, 'action=\\"accept\\"'],
    ["test_elicitation_sep1034_defaults", {}, "elicitation/create", { action: "decline" }, 'action=\\"decline\\"'],
    ["test_elicitation_sep1330_enums", {}, "elicitation/create", { action: "cancel" }, "content={}"],
    ["test_missing_capability", {}, "sampling/createMessage", SAMPLE, "can sample"],
    ["test_streaming_elicitation", {}, "elicitation/create", FORM_ANSWER, "completed"],
  ])("%s asks a legacy client, and tells what it said", async (name, args, method, result, told) => {
    const { url } = await start({ conformance: true });
    const session = await openSession(url, "2025-06-18", EVERYTHING);
    for (const [id, answer, expected] of [
      [1, { result }, told],
      [2, { error: { code: -1, message: "refused" } }, "The client failed: refused"],
    ] as const) {
      const call = await openLegacy(url, session, { id, method: "tools/call", params: { name, arguments: args } });
      await vi.waitFor(() => {
        expect(call.messages).toMatchObject([{ id, method }]);
      });
      await legacy(url, { id, ...answer }, session);
      await call.ended;
      expect(JSON.stringify(call.messages[1])).toContain(expected);
    }
  });

  test.each([
    ["sampling", [{ capital_question: SAMPLE }]],
    ["list_roots", [{ client_roots: ROOTS }]],
    ["request_state", [{ confirm: FORM_ANSWER }]],
    ["tampered_state", [{ confirm: FORM_ANSWER }]],
    ["multiple_inputs", [{ user_name: FORM_ANSWER, greeting: SAMPLE, client_roots: ROOTS }]],
    ["multiple_inputs", [{ user_name: FORM_ANSWER, client_roots: ROOTS }, { greeting: SAMPLE }]],
    ["multi_round", [{ step1: FORM_ANSWER }, { step2: FORM_ANSWER }]],
    ["capabilities", [{ user_name: FORM_ANSWER, greeting: SAMPLE, client_roots: ROOTS }]],
  ] as const)("input_required_result_%s completes after the rounds %j", async (which, rounds) => {
    const ask = await asking({}, EVERYTHING);
    const name = `test_input_required_result_${which}`;
    let result = (await ask("tools/call", { name }))["result"] as JsonObject;
    const states = new Set<unknown>();
    for (const inputResponses of rounds) {
      expect(result).toMatchObject({ resultType: "input_required" });
      states.add(result["requestState"]);
      const { requestState } = result;
      result = (await ask("tools/call", { name, inputResponses, requestState }))["result"] as JsonObject;
    }
    expect(states.size).toBe(rounds.length);
    expect(result).toMatchObject({ resultType: "complete" });
    for (const key of rounds.flatMap((round) => Object.keys(round))) expect(JSON.stringify(result)).toContain(key);
  });

  test("input_required_result_elicitation needs no state, and validates what it gets", async () => {
    const ask = await asking({}, EVERYTHING);
    const name = "test_input_required_result_elicitation";
    const asked = (await ask("tools/call", { name }))["result"];
    expect(asked).toMatchObject({ inputRequests: { user_name: { method: "elicitation/create" } } });
    expect(asked).not.toHaveProperty("requestState");
    const answered = await ask("tools/call", { name, inputResponses: { user_name: FORM_ANSWER, other: FORM_ANSWER } });
    expect(JSON.stringify(answered)).toContain("Ada");
    expect(await ask("tools/call", { name, inputResponses: { user_name: 12_345 } })).toMatchObject({
      error: { code: -32_602 },
    });
  });

  test("input_required_result_capabilities asks for nothing the client cannot give", async () => {
    const name = "test_input_required_result_capabilities";
    const some = await (await asking({}, { sampling: {} }))("tools/call", { name });
    expect(Object.keys((some["result"] as JsonObject)["inputRequests"] as JsonObject)).toEqual(["greeting"]);
    expect(await (await asking())("tools/call", { name })).toMatchObject({ result: { resultType: "complete" } });
  });
});

describe("options of the protocol (R22)", () => {
  test.each([
    ["2024-11-05", "2024-11-05"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-06-18"],
    ["2026-07-28", "2025-06-18"],
  ])("a server of 2025-06-18 settles with a client of %s on %s", async (asked, settled) => {
    const { url } = await start({ era: "legacy", revision: "2025-06-18" });
    const params = { protocolVersion: asked, capabilities: {}, clientInfo: { name: "raw", version: "0" } };
    const answer = await legacy(url, { id: 1, method: "initialize", params });
    expect(resultOf(answer)).toMatchObject({ protocolVersion: settled });
    const session = {
      "mcp-session-id": String(answer.headers["mcp-session-id"]),
      "mcp-protocol-version": "2025-11-25",
    };
    const refused = await legacy(url, { id: 2, method: "ping" }, session);
    expect([refused.status, errorOf(refused)["message"]]).toEqual([
      400,
      "Unsupported protocol version: this endpoint speaks 2025-06-18, 2025-03-26, 2024-11-05",
    ]);
  });

  test("a client that names event streams first gets one, in both eras; an error stays plain", async () => {
    const { url } = await start();
    const accept = "text/event-stream, application/json";
    const session = await openSession(url);
    const lists = [
      await modern(url, "tools/list", {}, { accept }),
      await legacy(url, { id: 7, method: "tools/list" }, { ...session, accept }),
    ];
    for (const { headers, text } of lists) {
      expect(headers["content-type"]).toBe("text/event-stream");
      expect(text).toMatch(/^event: message\ndata: \{"jsonrpc":"2\.0","id":7,"result":.*\}\n\n$/);
    }
    const unknown = await modern(url, "no/such", {}, { accept });
    expect([unknown.status, unknown.headers["content-type"]]).toEqual([404, "application/json"]);
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "0" } };
    const opened = await legacy(url, { id: 1, method: "initialize", params }, { accept });
    expect(opened.headers).toMatchObject({ "content-type": "text/event-stream", "mcp-session-id": expect.any(String) });
  });

  test("with invalidHeaders there is a tool for each way to break the rules of x-mcp-header, and it works", async () => {
    const ask = await asking({ conformance: false, invalidHeaders: true });
    const invalid = (await names(ask, "tools/list", "tools")).filter((name) => name.startsWith("invalid-header-"));
    expect(invalid).toHaveLength(7);
    expect(await ask("tools/call", { name: invalid[0] })).toMatchObject({ result: { resultType: "complete" } });
    expect(await names(await asking({ conformance: false }), "tools/list", "tools")).not.toContain(invalid[0]);
  });

  test("initialize with a modern client's metadata is a method that is not there", async () => {
    for (const era of ["modern", "both"] as const) {
      const answer = await modern((await start({ era })).url, "initialize");
      expect([answer.status, errorOf(answer)["code"]]).toEqual([404, -32_601]);
    }
  });
});
