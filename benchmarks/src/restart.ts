import { setTimeout as sleep } from "node:timers/promises";
import { pairUp, type Comparison } from "./comparison.js";
import { echoCall } from "./echo-call.js";
import { makeGatewayHome } from "./gateway-home.js";
import type { OnRound } from "./on-round.js";
import { appPath, fixturePath } from "./program-paths.js";
import { withServers, type ServerProcess, type Servers } from "./server-process.js";
import { startCallers, stretchOf, type Callers, type Stretch } from "./steady-callers.js";

/** How an upstream is restarted under load, and how often. */
export interface RestartOptions {
  /** Half of them call the connector that is restarted, half the other one. */
  readonly callers: number;
  /** How long it is watched before, while the upstream is away, and afterwards, each, in milliseconds. */
  readonly stretchMs: number;
  readonly rounds: number;
}

/** What one restart showed. */
export interface RestartRound {
  /** Of the connector whose upstream was not touched. */
  readonly other: Readonly<Record<"before" | "during" | "after", Stretch>>;
  /** How many calls of the one that was killed failed, by how. */
  readonly failures: Readonly<Record<string, number>>;
  /** The longest that one of those took to fail, in milliseconds. */
  readonly slowestFailureMs: number;
  /** From the upstream's listening again to the end of the first good call, in milliseconds. */
  readonly recoveredMs: number;
}

/** What the suite found. */
export interface Restart {
  readonly rounds: readonly RestartRound[];
  readonly comparisons: readonly Comparison[];
}

/** A connector that is not called again within this is not coming back. */
const PATIENCE_MS = 60_000;

/**
 * Two connectors under load; the upstream of one is killed and started anew on the same port. What is looked at is the other one, which has nothing to do with it, and how
 * calls fail and come back.
 *
 * @throws Error as soon as a call of the other one failed, or when the restarted one does not come back
 */
export async function measureRestart({ rounds, ...options }: RestartOptions, onRound: OnRound): Promise<Restart> {
  const found: RestartRound[] = [];
  await withServers(async (servers) => {
    const { folder, start } = servers;
    const other = await start([fixturePath, "--port", "0"]);
    let restarted = await start([fixturePath, "--port", "0"]);
    await makeGatewayHome(folder, [
      { name: "other", transport: "http", endpoint: other.url },
      { name: "restarted", transport: "http", endpoint: restarted.url },
    ]);
    const { url } = await start([appPath, "serve", "--port", "0"], { CORTEX_HOME: folder });
    for (let round = 0; round < rounds; round++) {
      const each = Math.ceil(options.callers / 2);
      const callers = [
        startCallers(echoCall(url, "other__echo"), each),
        startCallers(echoCall(url, "restarted__echo"), each),
      ] as const;
      try {
        const outcome = await restartOnce(callers, restarted, servers, options.stretchMs);
        restarted = outcome.restarted;
        found.push(outcome.round);
      } finally {
        await Promise.all(callers.map(async ({ end }) => end()));
      }
      onRound(round + 1, rounds);
    }
  });
  return { rounds: found, comparisons: comparisonsOf(found, options.callers) };
}

async function restartOnce(
  [other, own]: readonly [Callers, Callers],
  upstream: ServerProcess,
  { start }: Servers,
  stretchMs: number,
): Promise<{ readonly round: RestartRound; readonly restarted: ServerProcess }> {
  await own.good(performance.now(), PATIENCE_MS);
  const beginMs = performance.now();
  await sleep(stretchMs);
  const killedMs = performance.now();
  process.kill(upstream.pid, "SIGKILL");
  await sleep(stretchMs);
  const restarted = await start([fixturePath, "--port", new URL(upstream.url).port]);
  const listeningMs = performance.now();
  const { endedMs: goodMs } = await own.good(killedMs, PATIENCE_MS);
  await sleep(stretchMs);
  const endMs = performance.now();
  const bad = other.calls.find(({ outcome }) => outcome !== "ok");
  if (bad !== undefined) throw new Error(`a call of the other connector ${bad.outcome}`);
  const failed = own.calls.filter(({ outcome }) => outcome !== "ok");
  const failures: Record<string, number> = {};
  for (const { outcome } of failed) failures[outcome] = (failures[outcome] ?? 0) + 1;
  const round = {
    other: {
      before: stretchOf(other.calls, beginMs, killedMs),
      during: stretchOf(other.calls, killedMs, goodMs),
      after: stretchOf(other.calls, goodMs, endMs),
    },
    failures,
    slowestFailureMs: Math.max(0, ...failed.map(({ beganMs, endedMs }) => endedMs - beganMs)),
    recoveredMs: Math.max(0, goodMs - listeningMs),
  };
  return { round, restarted };
}

function comparisonsOf(rounds: readonly RestartRound[], callers: number): readonly Comparison[] {
  const of = (when: keyof RestartRound["other"], value: (stretch: Stretch) => number): readonly number[] =>
    rounds.map(({ other }) => value(other[when]));
  const figures = [
    ["p50", ({ p50Ms }: Stretch) => p50Ms],
    ["p99", ({ p99Ms }: Stretch) => p99Ms],
  ] as const;
  return (["during", "after"] as const).flatMap((when) =>
    figures.map(([name, value]) => ({
      benchmark: "restart",
      measure: `calls to a connector while another one's upstream restarts, ${callers} at once, ${name}`,
      unit: "ms",
      is: { baseline: "before", optimised: when === "during" ? "while it is away" : "when it is back" },
      rounds: pairUp(of("before", value), of(when, value)),
    })),
  );
}
