import { describe, expect, test } from "vitest";
import { checkClient, problemOfList } from "../check-client.js";
import type { CallOutcome } from "../expected.js";
import { FOLDER, type PublishedServer } from "../published-server.js";
import { outcomeOf, type RealClient } from "../real-clients.js";

const server = (name: string): PublishedServer => ({
  name,
  package: name,
  version: "1.0.0",
  entry: "index.js",
  tools: 2,
  call: { tool: "read", arguments: { path: `${FOLDER}/a` }, expected: { text: "good" } },
});

function clientOf(tools: readonly string[], call: RealClient["call"]): RealClient {
  return { revision: "2026-07-28", tools: async () => tools, call, close: async () => {} };
}

const good: CallOutcome = { text: "good", isError: false, structured: undefined };

describe("what a client sees of the servers", () => {
  test("is a list of the right length and the right answer, asked for with the server's own folder", async () => {
    const asked: unknown[] = [];
    const client = clientOf(["a__read", "a__write", "ab__read", "ab__write"], async (...call) => {
      asked.push(call);
      return good;
    });
    const views = await checkClient(client, [server("a"), server("ab")], ({ name }) => `/${name}`);
    expect(views).toEqual([
      { tools: 2, callMs: expect.any(Number) },
      { tools: 2, callMs: expect.any(Number) },
    ]);
    expect(asked).toEqual([
      ["a__read", { path: "/a/a" }],
      ["ab__read", { path: "/ab/a" }],
    ]);
  });

  test("one server that refuses, and one that answers wrongly, harm no other", async () => {
    const client = clientOf(["a__read", "a__write", "b__read", "b__write", "c__read", "c__write"], async (name) => {
      if (name.startsWith("a")) throw new Error("no such tool");
      return name.startsWith("b") ? { ...good, text: "bad" } : good;
    });
    const views = await checkClient(client, [server("a"), server("b"), server("c")], () => "/x");
    expect(views.map(({ callProblem }) => callProblem)).toEqual([
      "no such tool",
      "expected the text good, got bad",
      undefined,
    ]);
  });

  test("a list without the tool, or of another length, is a problem", () => {
    expect(problemOfList(["a__write", "a__x"], server("a"))).toBe("a__read is not in the list");
    expect(problemOfList(["a__read"], server("a"))).toBe("expected 2 tools, got 1");
    expect(problemOfList(["a__read", "a__write"], server("a"))).toBeUndefined();
  });
});

test("a result is read alike, whichever SDK it is of", () => {
  const content = [
    { type: "text", text: "a" },
    { type: "image", data: "" },
    { type: "text", text: "b" },
  ];
  expect(outcomeOf({ content, structuredContent: { c: 1 } })).toEqual({
    text: "a\n\nb",
    isError: false,
    structured: { c: 1 },
  });
  expect(outcomeOf({ isError: true })).toEqual({ text: "", isError: true, structured: undefined });
});
