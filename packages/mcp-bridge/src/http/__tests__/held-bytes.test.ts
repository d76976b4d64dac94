import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBudget } from "../../byte-budget.js";
import { HeldBytes } from "../held-bytes.js";

describe("the bytes of an unfinished message", () => {
  test("come out as they went in, however they were cut, and are given back to the budget", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9_000 }), { maxLength: 20 }), (pieces) => {
        const budget = new ByteBudget(1_000_000);
        const held = new HeldBytes("up", 1_000_000, budget);
        const whole = Buffer.concat(pieces);
        for (const piece of pieces) held.push(Buffer.from(piece));
        expect(held.length).toBe(whole.length);
        expect(budget.held).toBe(whole.length);
        expect(held.take().equals(whole)).toBe(true);
        expect([held.length, budget.held]).toEqual([0, 0]);
      }),
      { numRuns: 50 },
    );
  });

  test("a bound that is reached is named, and what was held stays", () => {
    const held = new HeldBytes("up", 4);
    held.push(Buffer.from("abc"));
    expect(() => held.push(Buffer.from("de"))).toThrow('Connector "up" answered with more than 4 bytes');
    expect(held.from(1).toString()).toBe("bc");
  });

  test("a budget that others have used up is named", () => {
    const budget = new ByteBudget(4);
    budget.take(3);
    const held = new HeldBytes("up", 100, budget);
    expect(() => held.push(Buffer.from("de"))).toThrow(/4 bytes for all answers together/);
    expect(budget.held).toBe(3);
  });

  test("cutting off a little and going on copies nothing again: 600 bytes of an upstream must not cost seconds", () => {
    const held = new HeldBytes("up", 64 * 1024);
    held.push(Buffer.from("data: "));
    held.push(Buffer.alloc(9_999, "x"));
    held.push(Buffer.from("x"));
    const memory = held.from(0).buffer;
    for (let at = 0; at < 200; at += 1) {
      const { length } = held;
      held.push(Buffer.from("id"));
      held.truncate(length);
    }
    expect(held.from(0).buffer).toBe(memory);
    expect(held.length).toBe(10_006);
  });

  test("cutting off and going on writes nothing into a chunk that is somebody else's", () => {
    const chunk = Buffer.from("abcdef");
    const budget = new ByteBudget(100);
    const held = new HeldBytes("up", 100, budget);
    held.push(chunk);
    held.truncate(2);
    held.push(Buffer.from("XY"));
    expect(held.from(0).toString()).toBe("abXY");
    expect(chunk.toString()).toBe("abcdef");
    expect(budget.held).toBe(4);
    held.clear();
    held.clear();
    expect(budget.held).toBe(0);
  });
});
