import { createServer } from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { outcomeOf } from "../call-once.js";
import { rowOf } from "../comparison.js";
import { measureRestart, type RestartRound } from "../restart.js";
import { restartReport } from "../restart-report.js";
import { withSilentServers } from "../silent-servers.js";
import { startCallers, stretchOf } from "../steady-callers.js";

test("restart: calls to the other connector go on, and those to the one that is away fail as unavailable until it is back (R18)", async () => {
  const done: string[] = [];
  const { rounds, comparisons } = await measureRestart({ callers: 4, stretchMs: 300, rounds: 2 }, (at, all) =>
    done.push(`${at}/${all}`),
  );
  expect(done).toEqual(["1/2", "2/2"]);
  expect(rounds).toHaveLength(2);
  for (const { other, failures, recoveredMs } of rounds) {
    for (const { callsPerSecond } of Object.values(other)) expect(callsPerSecond).toBeGreaterThan(0);
    expect(Object.keys(failures)).toEqual(["failed: -31001"]);
    expect(recoveredMs).toBeGreaterThanOrEqual(0);
  }
  expect(comparisons.map(({ measure, is }) => [measure.split(", ").at(-1), is.optimised])).toEqual([
    ["p50", "while it is away"],
    ["p99", "while it is away"],
    ["p50", "when it is back"],
    ["p99", "when it is back"],
  ]);
  for (const comparison of comparisons) expect(rowOf(comparison)).toMatchObject({ rounds: 2 });
}, 180_000);

test("the report sums the failures by how, and tells when the first call was good again (R18)", () => {
  const round = (recoveredMs: number, failures: Record<string, number>): RestartRound => ({
    other: {
      before: { callsPerSecond: 1_000, p50Ms: 1, p99Ms: 2 },
      during: { callsPerSecond: 1_100, p50Ms: 1.5, p99Ms: 2.25 },
      after: { callsPerSecond: 900, p50Ms: 1, p99Ms: 3 },
    },
    ...{ failures, slowestFailureMs: recoveredMs / 10, recoveredMs },
  });
  const rounds = [round(300, { "failed: -31001": 7 }), round(500, { "failed: -31001": 4, "failed: -31002": 1 })];
  expect(restartReport(rounds).split("\n").slice(2)).toEqual([
    "| before | 1000 | 1.00 | 2.00 | 0 |",
    "| while the other upstream is away | 1100 | 1.50 | 2.25 | 0 |",
    "| when it is back | 900 | 1.00 | 3.00 | 0 |",
    "",
    "Calls to the one that was killed, 2 times: 11 failed: -31001, 1 failed: -31002; the slowest took 50 ms to fail. From its listening again to the end of the first good call: 500 ms (300 to 500).",
    "",
  ]);
});

test("a stretch of time in which no call began was not measured", () => {
  const calls = [{ beganMs: 10, endedMs: 12, outcome: "ok" as const }];
  expect(stretchOf(calls, 0, 100)).toEqual({ callsPerSecond: 10, p50Ms: 2, p99Ms: 2 });
  expect(() => stretchOf(calls, 11, 100)).toThrow("no call began in that time");
});

const answers: Record<string, readonly [status: number, body: string]> = {
  "/ok": [200, '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'],
  "/is-error": [200, '{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}'],
  "/rpc": [503, '{"jsonrpc":"2.0","id":1,"error":{"code":-31001,"message":"away"}}'],
  "/event": [200, 'event: message\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":-31002,"message":"late"}}\n\n'],
  "/page": [502, "<html>"],
};
const server = createServer((request, response) => {
  const [status, body] = answers[request.url ?? ""] ?? [404, ""];
  response.writeHead(status).end(body);
});

const targetOf = (path: string): { url: string; headers: Record<string, string>; body: string } => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return { url: `http://127.0.0.1:${address.port}${path}`, headers: {}, body: "{}" };
};

beforeEach(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, "close");
});

test("how a call ended is told by its code, or by what stood in its way", async () => {
  const outcomes = await Promise.all(Object.keys(answers).map(async (path) => outcomeOf(targetOf(path))));
  expect(outcomes).toEqual(["ok", "failed: isError", "failed: -31001", "failed: -31002", "failed: HTTP 502"]);
  await withSilentServers(async ({ dead }) => {
    expect(await outcomeOf({ ...targetOf("/ok"), url: dead })).toMatch(/^failed: .*ECONNREFUSED/);
  });
});

test("callers go on whatever comes of their calls, until they are ended; one that never succeeds is told", async () => {
  const good = startCallers(targetOf("/ok"), 2);
  const bad = startCallers(targetOf("/rpc"), 1);
  const beganMs = performance.now();
  expect((await good.good(beganMs, 10_000)).outcome).toBe("ok");
  await expect(bad.good(beganMs, 20)).rejects.toThrow("no call succeeded within 20 ms");
  await Promise.all([good.end(), bad.end()]);
  const count = good.calls.length;
  expect(new Set(good.calls.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
  expect(new Set(bad.calls.map(({ outcome }) => outcome))).toEqual(new Set(["failed: -31001"]));
  expect(good.calls).toHaveLength(count);
});
