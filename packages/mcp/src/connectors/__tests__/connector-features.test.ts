import { GatewayError } from "@cortex-os/mcp-core";
import { expect, test } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { setUp } from "./connector-set-up.js";

const ALL = { tools: {}, resources: {}, prompts: {} };
const RESOURCE = { uri: "a:b", name: "b" };
const PROMPT = { name: "p" };

/** Up, with a tool, a resource, no template and a prompt. */
async function upWithAll() {
  const parts = setUp();
  const upstream = parts.upstream();
  upstream.goUp(ALL);
  await upstream.answerTools([toolOf("t")]);
  await upstream.answer("resources", [RESOURCE]);
  await upstream.answer("resourceTemplates", []);
  await upstream.answer("prompts", [PROMPT]);
  return { ...parts, upstream };
}

test("R22: a connector lists every feature that its upstream announces, and is up when it has them", async () => {
  const { connector } = await upWithAll();
  expect(connector.isUp).toBe(true);
  expect(connector.part).toEqual({
    key: "k",
    lists: {
      tools: { entries: [toolOf("t")] },
      resources: { entries: [RESOURCE] },
      resourceTemplates: { entries: [] },
      prompts: { entries: [PROMPT] },
    },
  });
});

test("R22: the same lists make the same part, in whatever order they came", async () => {
  const { connector } = await upWithAll();
  const parts = setUp();
  const other = parts.upstream();
  other.goUp(ALL);
  await other.answer("prompts", [PROMPT]);
  await other.answer("resourceTemplates", []);
  await other.answer("resources", [RESOURCE]);
  await other.answerTools([toolOf("t")]);
  expect(JSON.stringify(parts.connector.part)).toBe(JSON.stringify(connector.part));
});

test("R22: a change that is announced of one feature asks for the lists of that one only", async () => {
  const { connector, upstream } = await upWithAll();
  const before = upstream.lists;
  upstream.announceChange("prompts");
  expect(upstream.lists).toBe(before + 1);
  await upstream.answer("prompts", []);
  expect(connector.part?.lists).toMatchObject({
    tools: { entries: [toolOf("t")] },
    resources: { entries: [RESOURCE] },
    prompts: { entries: [] },
  });
});

test("R22: changes of several features are looked at side by side, each once", async () => {
  const { upstream, time } = await upWithAll();
  upstream.announceChange("prompts");
  const before = upstream.lists;
  upstream.announceChange("tools");
  upstream.announceChange("resources");
  // Tools, resources and templates.
  expect(upstream.lists).toBe(before + 3);
  await upstream.answer("prompts", []);
  await upstream.answer("tools", [toolOf("t")]);
  await upstream.answer("resources", []);
  await upstream.answer("resourceTemplates", []);
  await time.advance(10_000);
  expect(upstream.lists).toBe(before + 3);
});

test("R6: tools do not wait longer than a second for resources and prompts that do not come; those follow", async () => {
  const { connector, upstream, time } = setUp();
  upstream().goUp(ALL);
  await upstream().answerTools([toolOf("t")]);
  await upstream().answer("prompts", [PROMPT]);
  expect(connector.isUp).toBe(false);
  await time.advance(1_000);
  expect(connector.isUp).toBe(true);
  expect(connector.part?.lists).toEqual({ tools: { entries: [toolOf("t")] }, prompts: { entries: [PROMPT] } });
  await upstream().answer("resources", [RESOURCE]);
  await upstream().answer("resourceTemplates", []);
  expect(connector.part?.lists.resources).toEqual({ entries: [RESOURCE] });
});

test("R6: a change of the tools is seen while the prompts do not answer", async () => {
  const { connector, upstream } = await upWithAll();
  upstream.announceChange("prompts");
  upstream.announceChange("tools");
  await upstream.answerTools([toolOf("new")]);
  expect(connector.part?.lists.tools).toEqual({ entries: [toolOf("new")] });
});

test("R6: tools that came before the upstream went still count, though the rest did not come", async () => {
  const { connector, upstream } = setUp();
  upstream().goUp(ALL);
  await upstream().answerTools([toolOf("t")]);
  upstream().goDown("gone");
  expect(connector.part?.lists).toEqual({ tools: { entries: [toolOf("t")] } });
  expect(connector.isUp).toBe(false);
});

test("R6: nothing is told of a connector that was closed while its resources were awaited", async () => {
  const { connector, upstream, time, changes } = setUp();
  upstream().goUp(ALL);
  await upstream().answerTools([toolOf("t")]);
  await connector.close();
  const { length } = changes;
  await time.advance(10_000);
  expect([changes.length, time.pending, connector.part]).toEqual([length, 0, undefined]);
});

test("R22: a feature whose lists change all the time keeps no change of another one back", async () => {
  const { upstream } = await upWithAll();
  upstream.announceChange("tools");
  await upstream.answer("tools", [toolOf("t1")]);
  upstream.announceChange("tools");
  const before = upstream.lists;
  upstream.announceChange("prompts");
  expect(upstream.lists).toBe(before + 1);
  await upstream.answer("prompts", []);
});

test("R6: resources that cannot be listed take nothing else away, keep what was known, and are asked for again", async () => {
  const { connector, upstream, time, syncs, logger } = await upWithAll();
  upstream.announceChange("resources");
  await upstream.failList(new GatewayError("UPSTREAM_TIMEOUT", "no answer within 30000 ms"), "resources");
  await upstream.answer("resourceTemplates", []);
  expect(connector.isUp).toBe(true);
  expect(connector.part?.lists.resources).toEqual({ entries: [RESOURCE] });
  expect(syncs.at(-1)).toMatchObject({ ok: false });
  expect(logger.messages("warn")).toEqual(["resources/list failed; what is known of it stays"]);
  expect(time.delays).toContain(250);
  await time.advance(250);
  await upstream.answer("resources", []);
  await upstream.answer("resourceTemplates", []);
  expect(upstream.pendingLists).toBe(0);
  expect(connector.part?.lists.resources).toEqual({ entries: [] });
});

test("R22: an upstream that has resources and does not know templates has none of them", async () => {
  const { connector, upstream } = setUp();
  upstream().goUp({ resources: {} });
  await upstream().answer("resources", [RESOURCE]);
  const unknown = new GatewayError("UPSTREAM_PROTOCOL", "error -32601", { data: { upstreamCode: -32_601 } });
  await upstream().failList(unknown, "resourceTemplates");
  await settle();
  expect(connector.isUp).toBe(true);
  expect(connector.part?.lists).toEqual({ resources: { entries: [RESOURCE] }, resourceTemplates: { entries: [] } });
});

test("entries that nest too deeply to be encoded are left out with a warning", async () => {
  let deep: object = {};
  for (let level = 0; level < 100; level += 1) deep = { deep };
  const { connector, upstream, logger } = setUp();
  upstream().goUp({ prompts: {} });
  await upstream().answer("prompts", [PROMPT, { name: "q", _meta: { ...deep } }]);
  expect(connector.part?.lists.prompts).toEqual({ entries: [PROMPT] });
  expect(logger.messages("warn")).toEqual(["Entries nested deeper than 64 levels were left out of a list"]);
});
