import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { errorOf, META_FIELDS, modern, resultOf, useFixtureHttp, type RawAnswer } from "./support.js";
import { modernRequest, openPipe } from "./stdio-pipe.js";

const start = useFixtureHttp();
const DECLARED = { elicitation: {}, sampling: {}, roots: {} };
const metaWith = (capabilities: JsonObject): JsonObject => ({
  ...META_FIELDS,
  [META.clientCapabilities]: capabilities,
});
const ANSWER = { action: "accept", content: { name: "Ada" } };

type Try = (more?: JsonObject, capabilities?: JsonObject) => Promise<RawAnswer>;

/** Tries the call of `ask` with these arguments, and with what else belongs to a retry. */
const asking = (url: string, args: JsonObject): Try => {
  return async (more = {}, capabilities = DECLARED) =>
    modern(url, "tools/call", { name: "ask", arguments: args, _meta: metaWith(capabilities), ...more });
};

describe("asking a modern client over HTTP (R22)", () => {
  test.each([
    ["elicitation", "elicitation/create", ANSWER],
    ["sampling", "sampling/createMessage", { role: "assistant", content: { type: "text", text: "Paris" }, model: "m" }],
    ["roots", "roots/list", { roots: [{ uri: "file:///a" }] }],
  ])("%s is answered with the question, and the retry with what the client said", async (kind, method, answer) => {
    const attempt = asking((await start()).url, { kind });
    const asked = resultOf(await attempt());
    expect(asked).toMatchObject({ resultType: "input_required", inputRequests: { reply: { method } } });
    expect(asked).not.toHaveProperty("ttlMs");
    const { requestState } = asked;
    const done = resultOf(await attempt({ inputResponses: { reply: answer, extra: 1 }, requestState }));
    expect(done).toMatchObject({ resultType: "complete", structuredContent: { answer } });
  });

  test("the questions carry the parameters as they are", async () => {
    const params = { message: "?", requestedSchema: { type: "object", properties: {} }, "x-own": [1, null] };
    const asked = resultOf(await asking((await start()).url, { kind: "elicitation", params })());
    expect(asked["inputRequests"]).toEqual({ reply: { method: "elicitation/create", params } });
  });

  test("what a client did not declare is −32021 under 400 with what it would have to, unless forced", async () => {
    const { url } = await start();
    for (const [args, declared, missing] of [
      [{ kind: "sampling" }, { elicitation: {} }, { sampling: {} }],
      [{ kind: "elicitation", params: { mode: "url" } }, { elicitation: { form: {} } }, { elicitation: { url: {} } }],
    ] as const) {
      const refused = await asking(url, args)({}, declared);
      expect([refused.status, errorOf(refused)]).toMatchObject([
        400,
        { code: -32_021, data: { requiredCapabilities: missing } },
      ]);
      const forced = resultOf(await asking(url, { ...args, force: true })({}, declared));
      expect(forced).toMatchObject({ resultType: "input_required" });
    }
  });

  test("capabilities count for the request that declares them only", async () => {
    const attempt = asking((await start()).url, { kind: "elicitation" });
    const { requestState } = resultOf(await attempt());
    const refused = await attempt({ inputResponses: { reply: ANSWER }, requestState }, {});
    expect(errorOf(refused)["code"]).toBe(-32_021);
  });

  test("what is missing in a retry is asked for again", async () => {
    const attempt = asking((await start()).url, { kind: "elicitation" });
    const { requestState } = resultOf(await attempt());
    for (const more of [
      { requestState },
      { inputResponses: { other: ANSWER }, requestState },
      { inputResponses: { reply: ANSWER } },
    ]) {
      expect(resultOf(await attempt(more))).toMatchObject({ resultType: "input_required" });
    }
  });

  test.each([
    [12_345, "inputResponses must be an object"],
    [null, "inputResponses must be an object"],
    [{ reply: 12_345 }, 'inputResponses["reply"] is no answer to elicitation'],
    [{ reply: { action: "shrug" } }, 'inputResponses["reply"] is no answer to elicitation'],
  ])("responses of %j are −32602", async (inputResponses, message) => {
    const attempt = asking((await start()).url, { kind: "elicitation" });
    const { requestState } = resultOf(await attempt());
    expect(errorOf(await attempt({ inputResponses, requestState }))).toMatchObject({ code: -32_602, message });
  });

  test("a state that was changed, or is another request's or another server's, is −32602", async () => {
    const [{ url }, other] = [await start(), await start()];
    const attempt = asking(url, { kind: "elicitation" });
    const state = resultOf(await attempt())["requestState"] as string;
    const [payload = "", signature = ""] = state.split(".");
    const forged = Buffer.from(JSON.stringify({ answers: { reply: ANSWER } })).toString("base64url");
    const foreign = resultOf(await asking(other.url, { kind: "elicitation" })())["requestState"] as string;
    for (const requestState of [
      `${state}-TAMPERED`,
      `${state}.more`,
      `${forged}.${signature}`,
      `${payload}.${signature.toUpperCase()}`,
      payload,
      "",
      7,
      null,
      foreign,
    ]) {
      const refused = errorOf(await attempt({ inputResponses: { reply: ANSWER }, requestState }));
      expect(refused).toMatchObject({ code: -32_602, message: expect.stringContaining("not as this server gave") });
    }
    const elsewhere = asking(url, { kind: "elicitation", params: { message: "?" } });
    expect(errorOf(await elsewhere({ requestState: state }))["message"]).toContain("another request");
  });

  test("a state holds ten minutes (R17)", async () => {
    let now = 0;
    const { url } = await start({ clock: { now: () => now } });
    const attempt = asking(url, { kind: "elicitation" });
    const { requestState } = resultOf(await attempt());
    now = 599_999;
    expect(resultOf(await attempt({ requestState }))["resultType"]).toBe("input_required");
    now = 600_000;
    expect(errorOf(await attempt({ requestState }))["message"]).toContain("expired");
  });

  test("the order of the arguments' members makes no other request", async () => {
    const { url } = await start();
    const { requestState } = resultOf(await asking(url, { kind: "elicitation", force: false })());
    const again = asking(url, { force: false, kind: "elicitation" });
    expect(resultOf(await again({ inputResponses: { reply: ANSWER }, requestState }))["resultType"]).toBe("complete");
  });

  test("a prompt and a resource ask as well, and what they then give is for this client only", async () => {
    const { url } = await start();
    const _meta = metaWith(DECLARED);
    const prompt = { name: "ask-prompt", _meta };
    const asked = resultOf(await modern(url, "prompts/get", prompt));
    expect(asked["inputRequests"]).toMatchObject({ topic: { method: "elicitation/create" } });
    const inputResponses = { topic: { action: "accept", content: { topic: "bees" } } };
    const got = await modern(url, "prompts/get", { ...prompt, inputResponses, requestState: asked["requestState"] });
    expect(JSON.stringify(resultOf(got)["messages"])).toContain("bees");

    const resource = { uri: "fixture://cortex-fixture/ask", _meta };
    const { requestState, ...open } = resultOf(await modern(url, "resources/read", resource));
    expect(open).toMatchObject({ resultType: "input_required", inputRequests: { roots: { method: "roots/list" } } });
    const roots = { roots: { roots: [{ uri: "file:///a" }] } };
    const read = await modern(url, "resources/read", { ...resource, inputResponses: roots, requestState });
    expect(resultOf(read)).toMatchObject({ ttlMs: 0, cacheScope: "private" });
    expect(JSON.stringify(resultOf(read)["contents"])).toContain("file:///a");
  });
});

describe("asking a modern client over stdio (R22)", () => {
  test("is the same", async () => {
    const pipe = openPipe();
    const call = { name: "ask", arguments: { kind: "roots" }, _meta: metaWith(DECLARED) };
    pipe.send(modernRequest(1, "tools/call", call));
    const { requestState } = (await pipe.answerTo(1))["result"] as JsonObject;
    const inputResponses = { reply: { roots: [] } };
    pipe.send(modernRequest(2, "tools/call", { ...call, inputResponses, requestState }));
    expect(await pipe.answerTo(2)).toMatchObject({ result: { structuredContent: { answer: { roots: [] } } } });
    pipe.send(modernRequest(3, "tools/call", { ...call, _meta: META_FIELDS }));
    expect(await pipe.answerTo(3)).toMatchObject({ error: { code: -32_021 } });
    pipe.input.end();
    await pipe.served;
  });
});
