import { describe, expect, test } from "vitest";
import { ANSWERED } from "@cortex-os/mcp-bridge";
import { DeferredExchange } from "../client-sink.js";

function setUp() {
  const seen: string[] = [];
  let run: () => void = () => {};
  const exchange = new DeferredExchange(
    (task) => {
      run = task;
      return () => seen.push("forgotten");
    },
    () => {
      seen.push("begun");
      return { cancel: (reason) => seen.push(`cancelled: ${reason ?? ""}`), resume: () => seen.push("resumed") };
    },
  );
  return { seen, exchange, run: () => run() };
}

describe("a deferred exchange", () => {
  test("begins when the time has come, and passes on what its owner asks", () => {
    const { seen, exchange, run } = setUp();
    exchange.resume();
    expect(seen).toEqual([]);
    run();
    exchange.resume();
    exchange.cancel("enough");
    expect(seen).toEqual(["begun", "resumed", "forgotten", "cancelled: enough"]);
  });

  test("never begins when it was cancelled first, also if it cannot be forgotten any more", () => {
    const { seen, exchange, run } = setUp();
    exchange.cancel("gone");
    run();
    expect(seen).toEqual(["forgotten"]);
  });

  test("begins at once when there is nothing to wait for", () => {
    const seen: string[] = [];
    const exchange = new DeferredExchange(
      (task) => {
        task();
        return () => {};
      },
      () => ({ cancel: () => seen.push("cancelled"), resume: () => {} }),
    );
    exchange.cancel();
    expect(seen).toEqual(["cancelled"]);
  });

  test("what was answered at once can be cancelled and resumed without harm", () => {
    ANSWERED.cancel("late");
    ANSWERED.resume();
    expect(Object.keys(ANSWERED)).toEqual(["cancel", "resume"]);
  });
});
