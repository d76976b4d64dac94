import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { KeepAlive } from "../keep-alive.js";

describe("keep-alive", () => {
  test("beats every stream each 15 s with one timer for all", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time);
    const beats = { one: 0, other: 0 };
    keepAlive.add(() => (beats.one += 1));
    await time.advance(5_000);
    keepAlive.add(() => (beats.other += 1));
    expect(time.delays).toEqual([10_000]);
    await time.advance(10_000);
    expect(beats).toEqual({ one: 1, other: 1 });
    await time.advance(30_000);
    expect(beats).toEqual({ one: 3, other: 3 });
    expect(time.pending).toBe(1);
  });

  test("a stream that takes another one's place in that one's beat is beaten once an interval, by the one timer", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time, 1_000);
    let beats = 0;
    const end = keepAlive.add(() => {
      end();
      keepAlive.add(() => (beats += 1));
    });
    await time.advance(1_000);
    expect(time.pending).toBe(1);
    await time.advance(3_000);
    expect(beats).toBe(3);
  });

  test("needs no timer without streams", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time, 1_000);
    let beats = 0;
    const stop = keepAlive.add(() => (beats += 1));
    await time.advance(1_000);
    stop();
    stop();
    expect(time.pending).toBe(0);
    await time.advance(5_000);
    expect(beats).toBe(1);
    keepAlive.add(() => (beats += 1));
    await time.advance(1_000);
    expect(beats).toBe(2);
  });

  test("a stream that ends in its own beat stops the timer and harms no other", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time, 1_000);
    const seen: string[] = [];
    const stopFirst = keepAlive.add(() => {
      seen.push("first");
      stopFirst();
    });
    const stopSecond = keepAlive.add(() => {
      seen.push("second");
    });
    await time.advance(1_000);
    await time.advance(1_000);
    expect(seen).toEqual(["first", "second", "second"]);
    stopSecond();
    const stopLast = keepAlive.add(() => {
      stopLast();
    });
    await time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  test("thousands of streams do not beat in one turn of the event loop, and each of them once an interval", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time);
    const beats: number[][] = Array.from({ length: 10_000 }, () => []);
    const stops = beats.map((own) => keepAlive.add(() => own.push(time.elapsedMs())));
    await time.advance(15_000);
    expect(beats.filter(({ length }) => length > 0)).toHaveLength(64);
    // One that ends before its turn has none.
    stops[9_999]?.();
    await time.advance(29_999);
    const instants = new Map<number, number>();
    for (const at of beats.flat()) instants.set(at, (instants.get(at) ?? 0) + 1);
    expect(Math.max(...instants.values())).toBe(64);
    expect(new Set(beats.slice(0, 9_999).map(([first = 0, second = 0]) => second - first))).toEqual(new Set([15_000]));
    expect([beats[0], beats[9_998], beats[9_999]]).toEqual([[15_000, 30_000], [16_560, 31_560], []]);
    expect(time.pending).toBe(1);
    for (const stop of stops) stop();
    expect(time.pending).toBe(0);
  });

  test("of very many the last has beaten after half an interval", async () => {
    const time = new ManualTime();
    const keepAlive = new KeepAlive(time, 1_000);
    let beats = 0;
    for (let at = 0; at < 20_000; at += 1) keepAlive.add(() => (beats += 1));
    await time.advance(1_500);
    expect(beats).toBe(20_000);
  });
});
