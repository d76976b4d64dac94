import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import type { Connector } from "../connector.js";
import { setUp, toolsOf } from "./connector-set-up.js";

/** Tells whether waiting for the connector is over. */
function watch(connector: Connector): { over: boolean } {
  const seen = { over: false };
  void connector.whenSettled().then(() => {
    seen.over = true;
  });
  return seen;
}

describe("waiting for a connector", () => {
  test("is over when its tools are listed, for everybody who waits", async () => {
    const { connector, upstream } = setUp();
    const [one, other] = [watch(connector), watch(connector)];
    upstream().goUp();
    await settle();
    expect([one.over, other.over]).toEqual([false, false]);
    await upstream().answerList(["a"]);
    expect([one.over, other.over]).toEqual([true, true]);
    await connector.whenSettled();
  });

  test("is over when it is down, and when its first list failed", async () => {
    const [refused, silent] = [setUp(), setUp()];
    const [one, other] = [watch(refused.connector), watch(silent.connector)];
    refused.upstream().goDown("refused");
    silent.upstream().goUp();
    await silent.upstream().failList(new Error("nonsense"));
    await settle();
    expect([one.over, other.over]).toEqual([true, true]);
  });

  test("is over when it is closed, and at once for one that is disabled", async () => {
    const { connector } = setUp();
    const seen = watch(connector);
    await connector.close();
    await settle();
    expect(seen.over).toBe(true);
    await connector.whenSettled();
    await setUp({ disabled: true }).connector.whenSettled();
  });
});

describe("a connector that is told to try again", () => {
  test("connects at once when it is down, and is waited for until it lists", async () => {
    const { connector, upstream } = setUp();
    upstream().goDown("refused");
    upstream().connecting = Promise.resolve();
    connector.retry();
    const seen = watch(connector);
    upstream().goUp();
    await settle();
    expect([upstream().connects, seen.over]).toEqual([2, false]);
    await upstream().answerList(["a"]);
    expect([connector.isUp, seen.over]).toEqual([true, true]);
  });

  test("has tried when connecting fails again for a reason that is known, and says why", async () => {
    const { connector, upstream, failures } = setUp();
    upstream().goDown("refused");
    await settle();
    const failure = new Error("refused");
    upstream().connecting = Promise.reject(failure);
    connector.retry();
    const seen = watch(connector);
    expect(seen.over).toBe(false);
    await settle();
    expect(seen.over).toBe(true);
    expect(failures.at(-1)).toBe(failure);
    expect(connector.status().state).toBe("down");
  });

  test("has tried when it connected and is not up all the same", async () => {
    const { connector, upstream } = setUp();
    upstream().goDown("refused");
    upstream().connecting = Promise.resolve();
    connector.retry();
    const seen = watch(connector);
    await settle();
    expect([connector.status().state, seen.over]).toEqual(["down", true]);
  });

  test("lists again at once when it was its list that failed, and has no second timer", async () => {
    const { connector, upstream, time } = setUp();
    upstream().goUp();
    await upstream().failList(new Error("nonsense"));
    connector.retry();
    connector.retry();
    const seen = watch(connector);
    await settle();
    expect([upstream().connects, upstream().pendingLists, time.pending, seen.over]).toEqual([1, 1, 0, false]);
    await upstream().answerList(["a"]);
    expect([toolsOf(connector), time.pending, seen.over]).toEqual([["a"], 1, true]);
  });

  test("does nothing while it connects, when it is up, disabled or closed", async () => {
    const { connector, upstream } = setUp();
    connector.retry();
    await upstream().serve("a");
    connector.retry();
    upstream().goDown("gone");
    await connector.close();
    connector.retry();
    connector.start();
    expect([upstream().connects, upstream().lists]).toEqual([1, 1]);
    const { connector: disabled } = setUp({ disabled: true });
    disabled.retry();
    expect(disabled.isSettled).toBe(true);
  });

  test("why a start did not connect is told once, and nothing of it after the close", async () => {
    const { failures } = setUp();
    await settle();
    expect(failures).toMatchObject([{ message: "the first attempt failed" }]);
    const closed = setUp();
    await closed.connector.close();
    await settle();
    expect(closed.failures).toEqual([]);
  });
});
