import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { Deadline, DeadlineWatch, type Expiring } from "../deadline.js";

class Waiting implements Expiring {
  done = false;
  readonly deadline: Deadline;
  readonly expiries: number[] = [];

  constructor(time: ManualTime, idleMs: number, maxMs: number) {
    this.deadline = new Deadline(time, { idleMs, maxMs });
  }

  expired(limitMs: number): void {
    this.done = true;
    this.expiries.push(limitMs);
  }
}

function watching() {
  const time = new ManualTime();
  const all: Waiting[] = [];
  const watch = new DeadlineWatch({ timers: time, monotonic: time }, () => all);
  const begin = (idleMs: number, maxMs: number): Waiting => {
    const waiting = new Waiting(time, idleMs, maxMs);
    all.push(waiting);
    watch.begun(waiting);
    return waiting;
  };
  return { time, watch, begin };
}

describe("deadlines", () => {
  test("one is over once, after the silence it allows", async () => {
    const { time, begin } = watching();
    const waiting = begin(10, 25);
    await time.advance(9);
    waiting.deadline.touch();
    await time.advance(9);
    expect(waiting.expiries).toEqual([]);
    await time.advance(1);
    expect(waiting.expiries).toEqual([10]);
    expect(time.pending).toBe(0);
  });

  test("one is over at its maximum however busy the exchange is", async () => {
    const { time, begin } = watching();
    const waiting = begin(10, 25);
    for (let step = 0; step < 24; step += 1) {
      await time.advance(1);
      waiting.deadline.touch();
    }
    expect(waiting.expiries).toEqual([]);
    await time.advance(1);
    expect(waiting.expiries).toEqual([25]);
  });

  test("what is done is never over", async () => {
    const { time, begin } = watching();
    const waiting = begin(10, 25);
    waiting.done = true;
    await time.advance(100);
    expect(waiting.expiries).toEqual([]);
    expect(time.pending).toBe(0);
  });

  test("a hundred of one kind have one timer, and each its own time (R18)", async () => {
    const { time, begin } = watching();
    const waiting: Waiting[] = [];
    for (let step = 0; step < 100; step += 1) {
      waiting.push(begin(1_000, 5_000));
      expect(time.pending).toBe(1);
      await time.advance(1);
    }
    await time.advance(899);
    expect(waiting.flatMap(({ expiries }) => expiries)).toEqual([]);
    for (const [at, one] of waiting.entries()) {
      await time.advance(1);
      expect([at, one.expiries]).toEqual([at, [1_000]]);
      expect(waiting[at + 1]?.expiries ?? []).toEqual([]);
    }
  });

  test("one that is over sooner than those before it is not late", async () => {
    const { time, begin } = watching();
    const long = begin(1_000, 1_000);
    const short = begin(10, 10);
    await time.advance(10);
    expect([short.expiries, long.expiries]).toEqual([[10], []]);
    await time.advance(990);
    expect(long.expiries).toEqual([1_000]);
  });

  test("silence counts for nothing while one is held, and begins anew afterwards", async () => {
    const { time, begin } = watching();
    const waiting = begin(10, 100);
    const release = waiting.deadline.hold();
    await time.advance(45);
    release();
    await time.advance(9);
    expect(waiting.expiries).toEqual([]);
    await time.advance(1);
    expect(waiting.expiries).toEqual([10]);
  });

  test("the limit on the whole goes on while one is held", async () => {
    const { time, begin } = watching();
    const waiting = begin(10, 100);
    waiting.deadline.hold();
    await time.advance(100);
    expect(waiting.expiries).toEqual([100]);
  });

  test("nothing is over after the watch was stopped", async () => {
    const { time, watch, begin } = watching();
    const waiting = begin(10, 25);
    watch.stop();
    expect(time.pending).toBe(0);
    await time.advance(100);
    expect(waiting.expiries).toEqual([]);
  });
});
