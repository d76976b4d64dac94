import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { DEFAULT_STARTUP, StartGate } from "../start-gate.js";

function startedGate(): { time: ManualTime; gate: StartGate } {
  const time = new ManualTime();
  const gate = new StartGate(DEFAULT_STARTUP, time);
  gate.start();
  return { time, gate };
}

describe("the start gate (design.md, contracts: Starting)", () => {
  test("stays closed for 20 s when nothing ever comes up, and opens then", async () => {
    const { time, gate } = startedGate();
    await time.advance(19_999);
    expect(gate.isOpen).toBe(false);
    await time.advance(1);
    expect(gate.isOpen).toBe(true);
  });

  test("opens 2 s after the first connector came up, however many follow", async () => {
    const { time, gate } = startedGate();
    await time.advance(1_000);
    gate.firstUp();
    await time.advance(1_500);
    gate.firstUp();
    await time.advance(499);
    expect(gate.isOpen).toBe(false);
    await time.advance(1);
    expect(gate.isOpen).toBe(true);
  });

  test("opens at 20 s altogether when the first connector came up late", async () => {
    const { time, gate } = startedGate();
    await time.advance(19_000);
    gate.firstUp();
    await time.advance(1_000);
    expect(gate.isOpen).toBe(true);
  });

  test("opens at once when it is told to, and leaves no timer behind", () => {
    const { time, gate } = startedGate();
    gate.firstUp();
    gate.open();
    expect(gate.isOpen).toBe(true);
    expect(time.pending).toBe(0);
    gate.open();
    gate.firstUp();
    gate.start();
    expect(time.pending).toBe(0);
  });

  test("starting twice is one longest wait", async () => {
    const { time, gate } = startedGate();
    await time.advance(5_000);
    gate.start();
    expect(time.delays).toEqual([15_000]);
  });

  test("runs what waits when it opens, once and in order, but not what was forgotten", () => {
    const { gate } = startedGate();
    const ran: string[] = [];
    gate.whenOpen(() => ran.push("first"));
    const forget = gate.whenOpen(() => ran.push("forgotten"));
    gate.whenOpen(() => ran.push("second"));
    forget();
    gate.open();
    gate.open();
    expect(ran).toEqual(["first", "second"]);
    forget();
  });

  test("runs at once what comes when it is open", () => {
    const { gate } = startedGate();
    gate.open();
    const ran: string[] = [];
    const forget = gate.whenOpen(() => ran.push("now"));
    expect(ran).toEqual(["now"]);
    forget();
  });

  test("what comes while it opens is not lost", () => {
    const { gate } = startedGate();
    const ran: string[] = [];
    gate.whenOpen(() => {
      ran.push("outer");
      gate.whenOpen(() => ran.push("inner"));
    });
    gate.open();
    expect(ran).toEqual(["outer", "inner"]);
  });
});
