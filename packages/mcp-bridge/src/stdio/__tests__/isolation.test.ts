import { afterEach, describe, expect, test } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  markedProcesses,
  MODERN_CALLER,
  RecordingSink,
  toolCall,
  until,
  withFolder,
  type LinkSetup,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

const session = (sessionKey: string, principal = "anonymous"): Caller => ({ ...LEGACY_CALLER, sessionKey, principal });

async function opened(
  setup: LinkSetup,
): Promise<LinkUnderTest & { readonly pidFor: (caller: Caller) => Promise<string> }> {
  const under = linkTo(setup);
  await under.open();
  return { ...under, pidFor: async (caller) => (await callTool(under, "pid", {}, { caller })).text };
}

describe("who shares a child (design.md, decision 6)", () => {
  test("shared: everybody", async () => {
    const { pidFor } = await opened({});
    const pids = await Promise.all([session("a", "x"), session("b", "y"), MODERN_CALLER].map(pidFor));
    expect(new Set(pids).size).toBe(1);
  });

  test("principal: one each, whatever the session", async () => {
    const { pidFor } = await opened({ isolation: "principal" });
    const pids = await Promise.all(
      [session("a", "x"), session("b", "x"), session("c", "y"), { ...MODERN_CALLER, principal: "y" }].map(pidFor),
    );
    expect(pids[0]).toBe(pids[1]);
    expect(pids[2]).toBe(pids[3]);
    expect(pids[0]).not.toBe(pids[2]);
  });

  test.each(["legacy", "modern"])(
    "session: one each, its end ends the child, and who has no session counts as a principal: %s",
    async (era) => {
      const under = await opened({ isolation: "session", args: ["--era", era] });
      const { pidFor, link } = under;
      const [a, b, sessionless] = await Promise.all([session("a"), session("b"), MODERN_CALLER].map(pidFor));
      expect(new Set([a, b, sessionless]).size).toBe(3);
      expect(await pidFor(session("a"))).toBe(a);
      const hanging = new RecordingSink();
      link.send(toolCall("hang", {}, { caller: session("a") }), hanging);
      link.endSession("a");
      link.endSession("unknown");
      expect((await hanging.settled).failure).toMatchObject({
        code: "UPSTREAM_UNAVAILABLE",
        message: expect.stringContaining("session ended"),
      });
      await until(async () => !(await markedProcesses()).includes(Number(a)));
      expect(await pidFor(session("b"))).toBe(b);
      expect(await pidFor(session("a"))).not.toBe(a);
      expect(under.lost).toEqual([]);
    },
  );

  test("a legacy server is introduced to the client whose session it serves", async () => {
    const under = await opened({ isolation: "session" });
    const clientInfo = { name: "desk", version: "1" };
    const sink = await callTool(under, "session", {}, { caller: { ...session("a"), clientInfo } });
    expect(JSON.parse(sink.text)).toMatchObject({ clientInfo, capabilities: {} });
    const control = await under.link.request(
      "tools/call",
      { name: "session" },
      { timeoutMs: 10_000, maxBytes: 10_000 },
    );
    expect(JSON.stringify(control)).toContain("cortex-mcp");
  });

  test("an isolated child that dies takes only its own calls with it, and comes back with the next one", async () => {
    const under = await opened({ isolation: "session" });
    const [a, b] = [session("a"), session("b")];
    const pid = await under.pidFor(b);
    const sink = await callTool(under, "exit", { code: 5, words: "out of luck" }, { caller: a });
    expect(sink.failure).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "demo": its process exited with code 5',
      detail: 'its last line on stderr: "out of luck"',
    });
    expect(await under.pidFor(b)).toBe(pid);
    expect((await callTool(under, "echo", { value: "again" }, { caller: a })).text).toBe("again");
    expect(under.lost).toEqual([]);
  });

  test("what an isolated child says about its tools concerns nobody", async () => {
    const under = await opened({ isolation: "session" });
    expect((await callTool(under, "changed")).text).toBe("ok");
    expect(under.changes()).toBe(0);
  });

  test("a call cancelled while its child starts is never sent", async () => {
    const under = await opened({ isolation: "session" });
    const sink = new RecordingSink();
    under.link.send(toolCall("echo", { value: "never" }), sink).cancel();
    expect(await callTool(under, "seen").then(({ text }) => JSON.parse(text) as string[])).toEqual([
      "initialize",
      "notifications/initialized",
      "tools/call",
    ]);
    expect(sink.outcomes).toBe(0);
  });

  test("a child that cannot be started fails the calls that wait for it, and only those", async () => {
    // The first start finds the flag file missing and writes it; every later one exits.
    const script = `const fs=require('fs');const f=process.env.FLAG;if(fs.existsSync(f))process.exit(6);fs.writeFileSync(f,'');
      require('readline').createInterface({input:process.stdin}).on('line',(l)=>{const {id,method}=JSON.parse(l);
      if(id!==undefined)console.log(JSON.stringify({jsonrpc:'2.0',id,...(method==='server/discover'?{error:{code:-32601,message:'m'}}:{result:{protocolVersion:'2025-11-25',capabilities:{}}})}))})`;
    await withFolder(async (folder) => {
      const under = await opened({ isolation: "session", args: ["-e", script], env: { FLAG: `${folder}/started` } });
      const sinks = [new RecordingSink(), new RecordingSink()];
      for (const sink of sinks) under.link.send(toolCall("echo"), sink);
      for (const sink of sinks)
        expect((await sink.settled).failure).toMatchObject({
          code: "UPSTREAM_UNAVAILABLE",
          message: expect.stringContaining("code 6"),
        });
      expect(under.lost).toEqual([]);
      expect(await under.link.request("ping", {}, { timeoutMs: 10_000, maxBytes: 1_000 })).toMatchObject({
        capabilities: {},
      });
    });
  });

  test("there is a bound on isolated children: the longest unused makes room, whoever's it is, and comes back with its next call (R8)", async () => {
    const under = await opened({ isolation: "session", options: { maxLanes: 3 } });
    const { pidFor } = under;
    const busy = new RecordingSink();
    under.link.send(toolCall("hang", {}, { caller: session("busy") }), busy);
    const a = await pidFor(session("a"));
    const b = await pidFor(session("b"));
    // Used again: now b's is the one that was used longest ago.
    expect(await pidFor(session("a"))).toBe(a);
    expect(Number(await pidFor(session("c")))).toBeGreaterThan(0);
    await until(async () => !(await markedProcesses()).includes(Number(b)));
    expect(await pidFor(session("a"))).toBe(a);
    expect(await pidFor(session("b"))).not.toBe(b);
    expect([busy.outcomes, under.lost]).toEqual([0, []]);
  });

  test("another isolated child is refused only while calls are under way on all of them (R8)", async () => {
    const under = await opened({ isolation: "session", options: { maxLanes: 2 } });
    const sink = new RecordingSink();
    const hang = (key: string) => under.link.send(toolCall("hang", {}, { caller: session(key) }), sink);
    const exchanges = [hang("a"), hang("b")];
    const refused = await callTool(under, "pid", {}, { caller: session("c") });
    expect(refused.failure).toMatchObject({
      code: "LIMITED",
      message: 'Connector "demo": all of its 2 isolated processes are busy; try again when a call has ended',
    });
    expect(sink.outcomes).toBe(0);
    exchanges[1]?.cancel();
    expect(Number(await under.pidFor(session("c")))).toBeGreaterThan(0);
  });
});
