import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { within } from "../serve/within.js";

describe("an orderly end has a limit", () => {
  test("what is done in time is not late, and leaves no timer", async () => {
    const time = new ManualTime();
    let late = 0;
    await within(10, Promise.resolve(), time, () => late++);
    await expect(within(10, Promise.reject(new Error("no")), time, () => late++)).rejects.toThrow("no");
    expect([late, time.pending]).toEqual([0, 0]);
  });

  test("what hangs is given up", async () => {
    const time = new ManualTime();
    let late = 0;
    const waiting = within(10, new Promise(() => {}), time, () => late++);
    await time.advance(10);
    await waiting;
    expect([late, time.pending]).toEqual([1, 0]);
  });
});
