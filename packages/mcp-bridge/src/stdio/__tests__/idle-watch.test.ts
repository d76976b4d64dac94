import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { IdleWatch } from "../idle-watch.js";

function setUp(idleMs = 1_000) {
  const time = new ManualTime();
  const state = { busy: false, idle: 0 };
  const watch = new IdleWatch({
    timers: time,
    idleMs,
    isBusy: () => state.busy,
    onIdle: () => {
      state.idle += 1;
    },
  });
  return { time, state, watch };
}

describe("R18: how long nothing was asked of a child", () => {
  test("is told once, when the time is over and not before", async () => {
    const { time, state, watch } = setUp();
    watch.start();
    await time.advance(999);
    expect(state.idle).toBe(0);
    await time.advance(1);
    expect([state.idle, time.pending]).toEqual([1, 0]);
  });

  test("counts from the last use, to a quarter of the time more", async () => {
    const { time, state, watch } = setUp();
    watch.start();
    await time.advance(760);
    watch.used();
    await time.advance(999);
    expect(state.idle).toBe(0);
    await time.advance(241);
    expect(state.idle).toBe(1);
  });

  test("counts from when it was busy last, however long that took", async () => {
    const { time, state, watch } = setUp();
    watch.start();
    watch.used();
    state.busy = true;
    await time.advance(60_240);
    state.busy = false;
    await time.advance(999);
    expect(state.idle).toBe(0);
    await time.advance(251);
    expect(state.idle).toBe(1);
  });

  test("0 is never, and needs no timer", () => {
    const { time, watch } = setUp(0);
    watch.start();
    expect(time.pending).toBe(0);
  });

  test("one that was stopped tells nothing", async () => {
    const { time, state, watch } = setUp();
    watch.start();
    watch.stop();
    await time.advance(10_000);
    expect([state.idle, time.pending]).toEqual([0, 0]);
  });
});
