import { ManualTime } from "@cortex-os/mcp-core/testing";
import { expect, test } from "vitest";
import { FlushTimer } from "../flush-timer.js";

test("waits twice as long after each failure, up to a minute, and an interval after a success", async () => {
  const time = new ManualTime();
  let flushes = 0;
  const timer = new FlushTimer(time, 50, () => {
    flushes++;
  });
  timer.arm();
  timer.arm();
  await time.advance(50);
  expect([flushes, time.pending]).toEqual([1, 0]);
  for (let failures = 0; failures < 20; failures++) timer.failed();
  timer.arm();
  await time.advance(59_999);
  expect(flushes).toBe(1);
  await time.advance(1);
  expect(flushes).toBe(2);
  timer.succeeded();
  timer.arm();
  await time.advance(50);
  expect(flushes).toBe(3);
  timer.arm();
  timer.disarm();
  expect(time.pending).toBe(0);
});

test("an interval longer than that stays what it is", async () => {
  const time = new ManualTime();
  const timer = new FlushTimer(time, 100_000, () => {});
  timer.failed();
  timer.arm();
  await time.advance(99_999);
  expect(time.pending).toBe(1);
  await time.advance(1);
  expect(time.pending).toBe(0);
});
