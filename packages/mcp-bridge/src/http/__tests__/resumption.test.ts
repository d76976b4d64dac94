import { describe, expect, test } from "vitest";
import { resumeDelayMs, Resumption } from "../resumption.js";

describe("when an answer is asked for again (2025-11-25, transports)", () => {
  test.each([
    [undefined, false, 1_000],
    [0, false, 0],
    [0, true, 250],
    [700, true, 700],
    [3_600_000, false, 30_000],
  ])("retry %s, after a stream that brought nothing: %s, waits %s ms", (retryMs, fruitless, delayMs) => {
    expect(resumeDelayMs(retryMs, fruitless)).toBe(delayMs);
  });

  test("nowhere to go on from: no id, or one that was taken back", () => {
    const resumption = new Resumption();
    expect(resumption.next()).toBeUndefined();
    resumption.note({ id: "1", retryMs: 5 });
    expect(resumption.next()).toEqual({ lastId: "1", delayMs: 5, mayHurry: true });
    resumption.note({ id: "" });
    expect(resumption.next()).toBeUndefined();
  });

  test("only a stream that brought a message is asked for again as soon as the upstream likes", () => {
    const resumption = new Resumption();
    resumption.note({ id: "1", retryMs: 0 });
    const asked = [resumption.next(), resumption.next()];
    resumption.progressed();
    asked.push(resumption.next(), resumption.next());
    expect(asked.map((next) => next?.delayMs)).toEqual([0, 250, 0, 250]);
    // Nor may a client that is back at once have it asked any faster.
    expect(asked.map((next) => next?.mayHurry)).toEqual([true, false, true, false]);
  });
});
