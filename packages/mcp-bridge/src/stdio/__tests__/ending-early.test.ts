import { ManualTime } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test } from "vitest";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  linkTo,
  RecordingSink,
  toolCall,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

async function opened(): Promise<LinkUnderTest> {
  const under = linkTo();
  await under.open();
  return under;
}

/** What is sent in one turn of the event loop has been sent in the next. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const seenBy = async (under: LinkUnderTest): Promise<unknown[]> =>
  JSON.parse((await callTool(under, "seen")).text) as unknown[];

describe("ending a call early", () => {
  test("a cancelled call is cancelled at the server under the id it knows, and its late answer ignored", async () => {
    const under = await opened();
    const sink = new RecordingSink();
    const exchange = under.link.send(toolCall("echo", { value: "late", delayMs: 50 }, { id: "client-id" }), sink);
    await turn();
    exchange.cancel("enough");
    exchange.cancel();
    await callTool(under, "echo", { value: "", delayMs: 100 });
    expect(await seenBy(under)).toContainEqual({ cancelled: { requestId: 3, reason: "enough" }, was: "tools/call" });
    expect(sink.outcomes).toBe(0);
  });

  test("a call that is cancelled in the turn that it was made in never reaches the server", async () => {
    const under = await opened();
    // Two calls are seen: the one after it, and the one that asks.
    under.link.send(toolCall("hang"), new RecordingSink()).cancel("at once");
    expect((await callTool(under, "echo", { value: "next" })).text).toBe("next");
    expect((await seenBy(under)).filter((seen) => seen === "tools/call")).toEqual(["tools/call", "tools/call"]);
  });

  test("cancelling what is answered does nothing", async () => {
    const under = await opened();
    const sink = new RecordingSink();
    const exchange = under.link.send(toolCall("echo", { value: "x" }), sink);
    await sink.settled;
    exchange.cancel();
    expect(JSON.stringify(await seenBy(under))).not.toContain("cancelled");
  });

  test("a call without an answer fails after callMs, progress extending it up to callMaxMs, and the server is told", async () => {
    const time = new ManualTime();
    const under = linkTo({ time, timeouts: { callMs: 300_000, callMaxMs: 3_600_000 } });
    await under.open();
    const [silent, lively] = [new RecordingSink(), new RecordingSink()];
    // Two calls are seen: the one after it, and the one that asks.
    under.link.send(toolCall("hang"), silent);
    under.link.send(toolCall("progress", { steps: 3, pauseMs: 10 }, { meta: { progressToken: 1 } }), lively);
    expect((await lively.settled).notifications).toHaveLength(3);
    await time.advance(299_999);
    expect(silent.outcomes).toBe(0);
    await time.advance(1);
    expect(silent.failure).toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: 'Connector "demo": no answer to tools/call within 300000 ms',
    });
    expect(await seenBy(under)).toContainEqual({ cancelled: { requestId: 3, reason: "timeout" }, was: "tools/call" });
  });

  test("a server that never reads: calls wait, then expire, and more than fits is refused at once", async () => {
    const time = new ManualTime();
    // Silent from the start on, so its facts are taken on trust: an answer to initialize is printed before it stops reading.
    const script = `console.log(JSON.stringify({jsonrpc:"2.0",id:1,result:{protocolVersion:"2025-11-25",capabilities:{}}}));setInterval(()=>{},1000)`;
    const prior = {
      era: "legacy",
      revision: "2025-11-25",
      capabilities: {},
      detectedAt: "2026-01-01T00:00:00.000Z",
    } as const;
    const under = linkTo({ time, args: ["-e", script], prior, options: { maxQueuedBytes: 1_000_000 } });
    await under.open();
    const sinks = Array.from({ length: 40 }, () => {
      const sink = new RecordingSink();
      under.link.send(toolCall("echo", { value: "x".repeat(100_000) }), sink);
      return sink;
    });
    const refused = sinks.filter(({ failure }) => failure?.code === "UPSTREAM_LIMIT");
    expect(refused.length).toBeGreaterThan(5);
    expect(refused.length).toBeLessThan(35);
    await time.advance(300_000);
    expect(sinks.filter(({ failure }) => failure?.code === "UPSTREAM_TIMEOUT")).toHaveLength(40 - refused.length);
    expect(sinks.every(({ outcomes }) => outcomes === 1)).toBe(true);
  });
});
