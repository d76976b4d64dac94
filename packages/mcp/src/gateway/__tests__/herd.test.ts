import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { SERVER_FEATURES, type ServerFeature } from "@cortex-os/mcp-core/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Herd, type ListListener } from "../herd.js";

/** Most that are told in one turn of the event loop (decision 0029). */
const TOLD_IN_ONE_TURN = 64;

interface Told {
  readonly feature: ServerFeature;
  readonly atMs: number;
}

class TestListener implements ListListener {
  readonly told: Told[] = [];
  readonly #time: ManualTime;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  listChanged(feature: ServerFeature): void {
    this.told.push({ feature, atMs: this.#time.elapsedMs() });
  }
}

function setUp(count: number, random = fixedRandom(0.5)) {
  const time = new ManualTime();
  const herd = new Herd({ timers: time, random });
  const listeners = Array.from({ length: count }, () => new TestListener(time));
  const change = (features: readonly ServerFeature[] = ["tools"], of: readonly TestListener[] = listeners): void => {
    herd.add(of, new Set(features));
    herd.tell();
  };
  const told = (): number => listeners.filter((listener) => listener.told.length > 0).length;
  return { time, herd, listeners, change, told };
}

/** When the last of so many was told, in milliseconds, and the most that were told at one instant. */
async function toldAll(count: number) {
  const { time, listeners, change, told } = setUp(count);
  change();
  await time.advance(60_000);
  expect(told()).toBe(count);
  const instants = new Map<number, number>();
  for (const { atMs } of listeners.flatMap((listener) => listener.told))
    instants.set(atMs, (instants.get(atMs) ?? 0) + 1);
  return { lastMs: Math.max(...instants.keys()), most: Math.max(...instants.values()), instants: instants.size };
}

describe("telling many that lists changed (issue 7, Many)", () => {
  test("the few that one turn can tell hear it before anything else happens", () => {
    const { change, told, time } = setUp(TOLD_IN_ONE_TURN);
    change();
    expect([told(), time.pending]).toEqual([TOLD_IN_ONE_TURN, 0]);
  });

  test("no turn of the event loop tells more than its share; a few hundred still hear it as soon as the loop allows", async () => {
    const { change, told, time } = setUp(256);
    change();
    expect([told(), time.delays]).toEqual([64, [0]]);
    await time.advance(0);
    expect([told(), time.pending]).toEqual([256, 0]);
  });

  test.each([
    [65, 0],
    [256, 0],
    [257, 32],
    [10_000, 32],
    [20_000, 32],
    [100_000, 6.4],
  ])("%i listeners are told with %f ms between two turns", (listeners, gapMs) => {
    const { change, time } = setUp(listeners);
    change();
    expect(time.delays).toHaveLength(1);
    expect(time.delays[0]).toBeCloseTo(gapMs, 6);
  });

  test.each([
    [1_000, 480],
    [10_000, 4_992],
  ])("%i listeners are spread over %i ms, and never many at an instant", async (count, lastMs) => {
    const spread = await toldAll(count);
    expect(spread.lastMs).toBeCloseTo(lastMs, 6);
    expect(spread.most).toBe(TOLD_IN_ONE_TURN);
    expect(spread.instants).toBe(Math.ceil(count / TOLD_IN_ONE_TURN));
  });

  test("the last of very many is told after ten seconds all the same", async () => {
    const { lastMs } = await toldAll(50_000);
    expect(lastMs).toBeGreaterThan(9_000);
    expect(lastMs).toBeLessThanOrEqual(10_000);
  });

  test("the gaps vary, so that replicas which hear of a change together do not go on in step", () => {
    const [early, late] = [0, 0.999].map((chance) => setUp(1_000, fixedRandom(chance)));
    early?.change();
    late?.change();
    expect(early?.time.delays).toEqual([16]);
    expect(late?.time.delays[0]).toBeCloseTo(48, 0);
  });

  test("nobody is always the last: chance says who begins", () => {
    const { change, listeners } = setUp(100, fixedRandom(0.5));
    change();
    const heard = listeners.map(({ told }) => told.length);
    expect(heard.slice(50).concat(heard.slice(0, 14))).toEqual(Array.from({ length: 64 }, () => 1));
    expect(heard.slice(14, 50)).toEqual(Array.from({ length: 36 }, () => 0));
  });

  test("who waits hears once of all that changed meanwhile, and keeps its place", async () => {
    const { change, listeners, time } = setUp(1_000, fixedRandom(0));
    change(["tools"]);
    const last = listeners.at(-1);
    const first = listeners.at(0);
    change(["tools", "prompts"]);
    change(["tools"]);
    await time.advance(60_000);
    expect(last?.told.map(({ feature }) => feature)).toEqual(["tools", "prompts"]);
    expect(first?.told.map(({ feature }) => feature)).toEqual(["tools", "tools", "prompts"]);
    const [before, again] = [last?.told[0]?.atMs ?? 0, first?.told[1]?.atMs ?? 0];
    expect(before).toBeLessThanOrEqual(again);
  });

  test("after a herd the few hear at once again", async () => {
    const { change, listeners, time } = setUp(1_000);
    change();
    await time.advance(60_000);
    const few = listeners.slice(0, 10);
    change(["prompts"], few);
    expect(few.every(({ told }) => told.at(-1)?.feature === "prompts")).toBe(true);
  });

  test("stopped, it tells nobody and holds nobody", async () => {
    const { change, herd, told, time } = setUp(1_000);
    change();
    herd.stop();
    await time.advance(60_000);
    expect([told(), herd.size, time.pending]).toEqual([64, 0, 0]);
  });

  test("whatever changes when: everybody hears of a feature after its last change, of nothing else, and no more often than it changed", async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 400 }),
      features: fc.subarray([...SERVER_FEATURES], { minLength: 1 }),
      /** Which of two halves it is about. */
      half: fc.constantFrom(0, 1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 5 }),
        async (count, steps, chances) => {
          const { time, listeners, change } = setUp(count, fixedRandom(...chances));
          const halves = [0, 1].map((half) => listeners.filter((_, at) => at % 2 === half));
          const changes = [0, 1].map(() => new Map<ServerFeature, number[]>());
          for (const { waitMs, features, half } of steps) {
            await time.advance(waitMs);
            for (const feature of features) {
              const before = changes[half]?.get(feature) ?? [];
              changes[half]?.set(feature, [...before, time.elapsedMs()]);
            }
            change(features, halves[half] ?? []);
          }
          await time.advance(20_000);
          expect(time.pending).toBe(0);
          for (const [half, own] of halves.entries()) {
            for (const { told } of own) {
              for (const feature of SERVER_FEATURES) {
                const heard = told.filter((each) => each.feature === feature).map(({ atMs }) => atMs);
                const happened = changes[half]?.get(feature) ?? [];
                expect(heard.length).toBeLessThanOrEqual(happened.length);
                if (happened.length > 0) expect(heard.at(-1)).toBeGreaterThanOrEqual(happened.at(-1) ?? 0);
              }
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
