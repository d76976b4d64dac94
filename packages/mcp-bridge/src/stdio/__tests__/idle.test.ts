import { afterEach, describe, expect, test } from "vitest";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  RecordingSink,
  toolCall,
  until,
  type LinkSetup,
  type LinkUnderTest,
} from "./support.js";
import { LookTimers } from "./look-timers.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

async function opened(setup: LinkSetup = {}): Promise<LinkUnderTest & { readonly timers: LookTimers }> {
  const timers = new LookTimers();
  const under = linkTo({ ...setup, timers, options: { idleMs: timers.idleMs } });
  await under.open();
  return { ...under, timers };
}

describe("R18: a child of which nothing is asked", () => {
  test("is idle when its time is over, and is told so once", async () => {
    const { timers, idle } = await opened();
    timers.look(3);
    expect(idle.count).toBe(0);
    timers.look();
    expect(idle.count).toBe(1);
    expect(timers.waiting).toBe(0);
  });

  test.each(["legacy", "modern"])("is not while a call of it is under way (%s)", async (era) => {
    const under = await opened({ args: ["--era", era] });
    const sink = new RecordingSink();
    const call = under.link.send(toolCall("hang"), sink);
    under.timers.look(10);
    expect(under.idle.count).toBe(0);
    call.cancel();
    under.timers.look(5);
    expect(under.idle.count).toBe(1);
  });

  test("counts anew from each call, a client's or the gateway's own", async () => {
    const under = await opened();
    under.timers.look(3);
    await callTool(under, "echo", { value: 1 });
    under.timers.look(4);
    expect(under.idle.count).toBe(0);
    const bounds = { timeoutMs: 5_000, maxBytes: 1_000 };
    await under.link.request("tools/call", { name: "echo", arguments: { value: 1 } }, bounds);
    under.timers.look(4);
    expect(under.idle.count).toBe(0);
    under.timers.look();
    expect(under.idle.count).toBe(1);
  });

  test("is not kept awake by the lists that the gateway asks for by itself", async () => {
    const under = await opened();
    under.timers.look(3);
    await under.link.request("tools/list", {}, { timeoutMs: 5_000, maxBytes: 100_000 });
    under.timers.look();
    expect(under.idle.count).toBe(1);
  });

  test.each(["legacy", "modern"])("is not while somebody listens to a resource of it (%s)", async (era) => {
    const capabilities = JSON.stringify({ resources: { subscribe: true } });
    const under = await opened({ args: ["--era", era, "--capabilities", capabilities] });
    await under.link.subscribe("a:1");
    under.timers.look(10);
    expect(under.idle.count).toBe(0);
    await under.link.unsubscribe("a:1");
    under.timers.look(5);
    expect(under.idle.count).toBe(1);
  });

  test("is not while a client is being asked something, also when its call is over", async () => {
    const under = await opened({ isolation: "session" });
    const sink = new RecordingSink();
    const line = JSON.stringify({ jsonrpc: "2.0", id: "q", method: "roots/list" });
    const caller = { ...LEGACY_CALLER, capabilities: { roots: {} } };
    const call = under.link.send(toolCall("raw", { line }, { caller }), sink);
    await until(() => sink.questions.all.length > 0);
    call.cancel();
    under.timers.look(10);
    expect(under.idle.count).toBe(0);
    sink.questions.only.onAnswer({ result: { roots: [] } });
    under.timers.look(5);
    expect(under.idle.count).toBe(1);
  });

  test("is not while a process of a client's own has a call", async () => {
    const under = await opened({ isolation: "session" });
    const call = under.link.send(toolCall("hang"), new RecordingSink());
    under.timers.look(10);
    expect(under.idle.count).toBe(0);
    call.cancel();
    under.timers.look(5);
    expect(under.idle.count).toBe(1);
  });

  test("one that was closed says nothing any more", async () => {
    const under = await opened();
    await under.link.close();
    expect([under.timers.waiting, under.idle.count]).toEqual([0, 0]);
  });
});
