import { describe, expect, test } from "vitest";
import { entriesFor, manage, publish } from "../connectors/__tests__/manager-http-set-up.js";
import { ids } from "../connectors/__tests__/manager-set-up.js";
import { answerOf, askModern, failOnLeaks, specAt, startServed, startUpstream } from "./support/gateway.js";

failOnLeaks();

const CALLS = 300;
const AT_ONCE = 16;

describe("the benchmark's smoke test (R18, R20)", () => {
  test("every call of a steady stream is answered, and its latencies can be told", async () => {
    const upstream = await startUpstream({ era: "modern" });
    const { port } = await startServed([specAt("bench", upstream.url)]);
    const latenciesMs: number[] = [];
    let sent = 0;
    const worker = async (): Promise<void> => {
      while (sent < CALLS) {
        sent += 1;
        const message = `call ${sent}`;
        const startedMs = performance.now();
        const reply = await askModern(port, "tools/call", { name: "bench__echo", arguments: { message } });
        latenciesMs.push(performance.now() - startedMs);
        expect(answerOf(reply)).toMatchObject({ result: { content: [{ type: "text", text: message }] } });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));

    expect(latenciesMs).toHaveLength(CALLS);
    expect(upstream.calls.completed).toBe(CALLS);
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => sorted[Math.floor(share * CALLS)] ?? Number.NaN);
    // Shown, not judged: how fast is a matter for `pnpm bench`, as ratios within one run.
    process.stdout.write(
      `steady state: p50 ${p50?.toFixed(1)} ms, p95 ${p95?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms\n`,
    );
    expect([p50, p95, p99].every(Number.isFinite)).toBe(true);
  });

  test("ten slow connectors start four at a time, and all of them are there", async () => {
    const upstreams = await Promise.all(ids(10).map(async () => startUpstream({ era: "modern", delayMs: 50 })));
    const { url } = await publish(...entriesFor(upstreams));
    const tookMs: number[] = [];
    for (const concurrency of [1, 4]) {
      const { manager, connectorsOfTools } = manage(url, { concurrency });
      const startedMs = performance.now();
      await manager.sync();
      tookMs.push(performance.now() - startedMs);
      expect(connectorsOfTools()).toEqual(ids(10));
      await manager.disconnect();
    }
    const [oneByOne = 0, fourWide = 0] = tookMs;
    process.stdout.write(`cold start: one by one ${oneByOne.toFixed(0)} ms, four wide ${fourWide.toFixed(0)} ms\n`);
    expect(upstreams.map(({ requests }) => requests.method("tools/list"))).toEqual(ids(10).map(() => 2));
  });
});
