import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventLog, EventMemory } from "../event-log.js";

const OVERHEAD = 1_024;
const bytesOf = (length: number): Uint8Array => new Uint8Array(length).fill(length);

describe("an event log", () => {
  test("knows what came after each position that it holds", () => {
    const log = new EventLog(new EventMemory(100_000), 100_000);
    for (const length of [1, 2, 3]) expect(log.add(bytesOf(length), Infinity)).toBe(true);
    expect(log.last).toBe(3);
    expect(log.since(0)?.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(log.since(2)).toEqual([{ position: 3, bytes: bytesOf(3) }]);
    expect(log.since(3)).toEqual([]);
    expect(log.since(4)).toBeUndefined();
  });

  test("keeps a small piece of a large chunk as a copy: the chunk would live as long as the piece", () => {
    const memory = new EventMemory(1_000_000);
    const log = new EventLog(memory, 1_000_000);
    const chunk = new Uint8Array(100_000);
    log.add(chunk.subarray(10, 20), Infinity);
    log.add(chunk, Infinity);
    const [small, whole] = log.since(0) ?? [];
    expect(small?.bytes.buffer.byteLength).toBe(10);
    expect(whole?.bytes).toBe(chunk);
  });

  test("drops nothing from the position on that must be kept, and says that it could not", () => {
    const memory = new EventMemory(100_000);
    const log = new EventLog(memory, 2 * (10 + OVERHEAD));
    for (let n = 0; n < 3; n += 1) log.add(bytesOf(10), Infinity);
    expect(log.add(bytesOf(10), 3)).toBe(true);
    expect(log.add(bytesOf(10), 3)).toBe(false);
    expect(log.since(3)).toBeUndefined();
    log.clear();
    expect(memory.budget.held).toBe(0);
  });

  test("whatever is added and dropped: it holds the newest within its bound, in order, and gives all of it back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), (lengths) => {
        const bound = 12_000;
        const memory = new EventMemory(100_000);
        const log = new EventLog(memory, bound);
        for (const length of lengths) log.add(bytesOf(length), Infinity);
        let room = bound;
        let held = 0;
        for (const length of lengths.toReversed()) {
          room -= length + OVERHEAD;
          if (room < 0) break;
          held += 1;
        }
        const first = lengths.length - held;
        expect(log.since(first)?.map(({ bytes }) => bytes.length)).toEqual(lengths.slice(first));
        if (first > 0) expect(log.since(first - 1)).toBeUndefined();
        expect(memory.budget.held).toBe(lengths.slice(first).reduce((sum, length) => sum + length + OVERHEAD, 0));
        log.clear();
        expect([memory.budget.held, log.last]).toEqual([0, lengths.length]);
      }),
    );
  });
});

describe("the memory of event logs", () => {
  test("of one session takes nothing from another's while its own is full", () => {
    const all = new EventMemory(10_000);
    const [own, other] = [new EventMemory(100, all), new EventMemory(100, all)];
    const forgotten: string[] = [];
    const spare = (name: string, memory: EventMemory) => {
      const stream = {
        forget: () => {
          forgotten.push(name);
          memory.forgotten(stream);
          memory.give(60);
        },
      };
      expect(memory.take(60)).toBe(true);
      memory.mayForget(stream);
    };
    spare("other", other);
    expect(own.take(60)).toBe(true);
    expect(own.take(60)).toBe(false);
    expect(forgotten).toEqual([]);
    own.give(60);
    spare("own", own);
    expect(own.take(60)).toBe(true);
    expect(forgotten).toEqual(["own"]);
  });

  test("of all takes from whoever may be forgotten longest", () => {
    const all = new EventMemory(150);
    const forgotten: number[] = [];
    const sessions = [1, 2, 3].map((n) => {
      const memory = new EventMemory(100, all);
      const stream = {
        forget: () => {
          forgotten.push(n);
          memory.forgotten(stream);
          memory.give(60);
        },
      };
      return { memory, stream };
    });
    for (const { memory, stream } of sessions) {
      expect(memory.take(60)).toBe(true);
      memory.mayForget(stream);
    }
    expect([forgotten, all.budget.held]).toEqual([[1], 120]);
  });
});
