import { expect, test } from "vitest";
import { measureColdStart } from "../cold-start.js";
import { rowOf, type Comparison } from "../comparison.js";
import { manyReport, measureMany } from "../many.js";
import { measureMapRefresh } from "../map-refresh.js";
import { measureMapVerify } from "../map-verify.js";
import { measureRefreshCost } from "../refresh-cost.js";
import { measureRegistry } from "../registry-suite.js";

/** Every program really measures, at sizes that say nothing about speed: the figures are looked at for their shape only. */

const done: string[] = [];
const onRound = (round: number, all: number): void => void done.push(`${round}/${all}`);

function expectMeasured(comparisons: readonly Comparison[], rounds: number): void {
  for (const { rounds: pairs } of comparisons) {
    expect(pairs).toHaveLength(rounds);
    for (const { baseline, optimised } of pairs) {
      expect(baseline).toBeGreaterThan(0);
      expect(optimised).toBeGreaterThan(0);
    }
  }
  for (const comparison of comparisons) expect(Number.isFinite(rowOf(comparison).ratio)).toBe(true);
}

test("cold start: a signed map's connectors, one at a time against four, all at once and adaptive (R18)", async () => {
  const comparisons = await measureColdStart({ connectors: 5, listDelayMs: 20, rounds: 2 }, onRound);
  expect(comparisons.map(({ measure, is }) => [measure, is.baseline])).toEqual([
    ["5 connectors of 20 ms, four at a time (the default)", "one at a time"],
    ["5 connectors of 20 ms, all at once", "one at a time"],
    ["5 connectors of 20 ms, adaptive", "one at a time"],
  ]);
  expectMeasured(comparisons, 2);
  expect(done.splice(0)).toEqual(["1/2", "2/2"]);
});

test("the map is verified by HMAC and by Ed25519, in each size (R18)", () => {
  const comparisons = measureMapVerify({ sizes: [1, 3], rounds: 2, readings: 1 }, onRound);
  expect(comparisons.map(({ is }) => [is.baseline, is.optimised])).toEqual([
    ["JSON.parse alone", "verified, HMAC-SHA256"],
    ["verified, HMAC-SHA256", "verified, Ed25519"],
    ["JSON.parse alone", "verified, HMAC-SHA256"],
    ["verified, HMAC-SHA256", "verified, Ed25519"],
  ]);
  expectMeasured(comparisons, 2);
  expect(done.splice(0)).toEqual(["1/2", "2/2"]);
});

test("refreshes that change nothing are measured with the connectors up, and do not touch them (R6, R18)", async () => {
  const comparisons = await measureMapRefresh({ sizes: [2, 3], rounds: 1, refreshes: 2 }, onRound);
  expect(comparisons.map(({ measure }) => measure)).toEqual([
    "refresh that changes none of 2 connectors",
    "refresh that changes none of 3 connectors",
  ]);
  expectMeasured(comparisons, 1);
  expect(done.splice(0)).toEqual(["1/2", "2/2"]);
});

test("registry: changes, flushes, starts and reads of real files in each size, and durable changes (R10, R11, R18)", async () => {
  const options = { sizes: [1, 4], callers: [1, 3], rounds: 2, flushes: 3, upserts: 4, changes: 6 };
  const { comparisons, throughputs, fileSystem } = await measureRegistry(options, onRound);
  expect(comparisons.map(({ measure }) => measure)).toEqual([
    ...[1, 4].flatMap((size) => [
      `upsert, ${size} servers, p50`,
      `upsert, ${size} servers, p99`,
      `flush of ${size} servers, p50`,
      `flush of ${size} servers, p95`,
      `flush of ${size} servers, p99`,
      `event loop held by a flush of ${size} servers, p50`,
      `event loop held by a flush of ${size} servers, longest`,
      `init, ${size} servers, p50`,
      `entries of ${size} servers, p50`,
      `entries of ${size} servers, p99`,
      `getAll of ${size} servers, p50`,
      `getAll of ${size} servers, p99`,
    ]),
    ...[1, 3].flatMap((callers) => [
      `durable upsert, ${callers} at once, p50`,
      `durable upsert, ${callers} at once, p99`,
    ]),
  ]);
  expectMeasured(comparisons, 2);
  expect(throughputs.map(({ callers, changesPerDatasync }) => [callers, changesPerDatasync])).toEqual([
    [1, 1],
    [3, 3],
  ]);
  expect(fileSystem).not.toBe("");
  expect(done.splice(0)).toEqual(["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"]);
}, 60_000);

test("refresh: calls go on while the map is followed every 100 ms (R18)", async () => {
  const options = { connectors: 2, concurrencies: [2], rounds: 1, roundMs: 300, warmUpMs: 50 };
  const comparisons = await measureRefreshCost(options, onRound);
  expect(comparisons.slice(0, 3).map(({ measure, is }) => [measure.split(", ").at(-1), is.optimised])).toEqual([
    ["p50", "refresh every 100 ms"],
    ["p95", "refresh every 100 ms"],
    ["p99", "refresh every 100 ms"],
  ]);
  expectMeasured(comparisons.slice(0, 3), 1);
  expect(done.splice(0)).toEqual(["1/1"]);
}, 60_000);

test("many: connectors, listeners and sessions are really there, and hear of the change they are asked about (R18)", async () => {
  const found = await measureMany(
    {
      connectors: { connectors: 3, tools: 4, changes: 1, lookMs: 100, settleMs: 100 },
      clients: [
        { kind: "listeners", clients: 5, lookMs: 100 },
        { kind: "sessions", clients: 3, lookMs: 100 },
        { kind: "silent-sessions", clients: 3, lookMs: 100 },
      ],
    },
    onRound,
  );
  const { connectors, clients } = found;
  for (const figure of [connectors.untilListedMs, connectors.changeToNoticeMs, connectors.call.p50Ms])
    expect(figure).toBeGreaterThan(0);
  expect(clients.map(({ broadcast }) => broadcast?.mostIn10Ms)).toEqual([
    expect.any(Number),
    expect.any(Number),
    undefined,
  ]);
  expect(manyReport(found)).toContain("5 clients that listen (subscriptions/listen):");
  expect(done.splice(0)).toEqual(["1/4", "2/4", "3/4", "4/4"]);
}, 240_000);
