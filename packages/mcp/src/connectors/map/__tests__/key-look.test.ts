import { ManualTime } from "@cortex-os/mcp-core/testing";
import { expect, test } from "vitest";
import { KeyLook } from "../key-look.js";

test("looks follow one another, the next only after the last has ended, and none after stop()", async () => {
  const time = new ManualTime();
  const ends: (() => void)[] = [];
  const look = async (): Promise<void> =>
    new Promise((resolve) => {
      ends.push(resolve);
    });
  const keyLook = new KeyLook({ timers: time, everyMs: 2_000, look });
  await time.advance(10_000);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await time.advance(2_000);
  expect(ends).toHaveLength(2);
  keyLook.stop();
  keyLook.stop();
  ends[1]?.();
  await time.advance(10_000);
  expect([ends.length, time.pending]).toEqual([2, 0]);
  const unused = new KeyLook({ timers: time, everyMs: 2_000, look });
  unused.stop();
  expect(time.pending).toBe(0);
});
