import { afterEach, describe, expect, test } from "vitest";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  MODERN_CALLER,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

async function opened(era: string): Promise<LinkUnderTest> {
  const under = linkTo({ args: ["--era", era] });
  await under.open();
  return under;
}

describe("a good answer of a child (R18)", () => {
  test.each([
    ["modern", MODERN_CALLER, 1],
    ["legacy", LEGACY_CALLER, 1],
    ["modern", LEGACY_CALLER, 0],
    ["legacy", MODERN_CALLER, 0],
  ])(
    "of a %s one is passed on as it came to a client of its era, and is converted for others: %j",
    async (era, caller, passedOn) => {
      const under = await opened(era);
      const sink = await callTool(under, "echo", { value: "déjà vu" }, { id: "client-id", caller });
      expect([sink.text, sink.response?.id, sink.passedOn]).toEqual(["déjà vu", "client-id", passedOn]);
    },
  );

  test("keeps what no parser would: digits, the order and repetition of keys", async () => {
    const under = await opened("legacy");
    const line = '{"jsonrpc":"2.0","id":$ID,"result":{"n":12345678901234567890.10,"content":[],"n":1}}';
    const sink = await callTool(under, "raw", { line });
    expect(sink.resultText).toBe('{"n":12345678901234567890.10,"content":[],"n":1}');
  });

  test.each([
    ["an error", '{"jsonrpc":"2.0","id":$ID,"error":{"code":-32603,"message":"no"}}'],
    ["an id twice", '{"jsonrpc":"2.0","id":1000,"result":{"content":[]},"id":$ID}'],
    ["a batch", '[{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}]'],
    ["a name with an escape", '{"jsonrpc":"2.0","\\u0069d":$ID,"result":{"content":[]}}'],
    ["a member of its own", '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]},"more":1}'],
  ])("is read as before when it is not certainly one: %s", async (_, line) => {
    const under = await opened("legacy");
    const sink = await callTool(under, "raw", { line });
    expect([sink.outcomes, sink.passedOn, sink.failure]).toEqual([1, 0, undefined]);
  });
});
