import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp } from "./router-set-up.js";

type Parts = Awaited<ReturnType<typeof setUp>>;

const listed = (parts: Parts): string[] =>
  [...JSON.stringify(parts.ask("tools/list").sink.only).matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name ?? "");

describe("names.prefix auto, when connectors come and go", () => {
  test("a name that begins to collide gets its key, and clients are told; it loses it when it is alone again", async () => {
    const parts = await setUp(["a"], { names: { prefix: "auto" } });
    const { upstreams, name, session, time, ask } = parts;
    await upstreams.of("a").serve("x", "y");
    await time.advance(1_000);
    const { told } = session();
    expect(listed(parts)).toEqual(["x", "y"]);
    name("a", "b");
    await settle();
    await upstreams.of("b").serve("x");
    await time.advance(1_000);
    expect(told.map(({ method }) => method)).toEqual(["notifications/tools/list_changed"]);
    expect(listed(parts)).toEqual(["a__x", "b__x", "y"]);
    // Whoever did not list again reaches nobody by the name that both have.
    expect(ask("tools/call", { name: "x" }).sink.failure.message).toBe('Unknown tool: "x"');
    ask("tools/call", { name: "b__x" });
    expect(upstreams.of("b").sent.map(({ call }) => call.params)).toEqual([{ name: "x" }]);
    name("a");
    await time.advance(1_000);
    expect(told).toHaveLength(2);
    expect(listed(parts)).toEqual(["x", "y"]);
    expect(ask("tools/call", { name: "a__x" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("a connector that is only down keeps its names, and so do the others", async () => {
    const parts = await setUp(["a", "b"], { names: { prefix: "auto" } });
    await parts.upstreams.of("a").serve("x");
    await parts.upstreams.of("b").serve("x");
    await settle();
    parts.upstreams.of("b").goDown("gone");
    await settle();
    expect(listed(parts)).toEqual(["a__x", "b__x"]);
  });

  test("prompts are prefixed by the same rule, whatever tools are called", async () => {
    const parts = await setUp(["a", "b"], { names: { prefix: "auto" } });
    for (const key of ["a", "b"]) {
      parts.upstreams.of(key).goUp({ tools: {}, prompts: {} });
      await parts.upstreams.of(key).answer("prompts", [{ name: "p" }, { name: `only-${key}` }]);
      await parts.upstreams.of(key).answerList(key === "a" ? ["only-b"] : []);
    }
    await settle();
    expect(parts.ask("prompts/list", {}, "legacy").sink.only).toMatchObject({
      result: { prompts: [{ name: "a__p" }, { name: "b__p" }, { name: "only-a" }, { name: "only-b" }] },
    });
    expect(listed(parts)).toEqual(["only-b"]);
  });
});
