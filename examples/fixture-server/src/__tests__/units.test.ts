import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { CallScope } from "../call-scope.js";
import { RequestCounters } from "../http/request-counters.js";
import { InFlight } from "../in-flight.js";
import { mirroredParams, saysTheSame, valueAt } from "../param-headers.js";
import { sleep } from "../sleep.js";
import { LineReader } from "../stdio/line-reader.js";

describe("CallScope", () => {
  test("a signal asked for after the cancellation is aborted", () => {
    const scope = new CallScope();
    scope.cancel();
    scope.cancel();
    expect(scope.signal.aborted).toBe(true);
    expect(scope.signal).toBe(scope.signal);
  });

  test("shutting down cancels, unless a handler wants to answer and the client still waits", () => {
    const plain = new CallScope();
    expect(plain.shutDown()).toBe(false);
    expect(plain.cancelled).toBe(true);
    const answer = vi.fn<() => void>();
    const answering = new CallScope();
    answering.onShutDown(answer);
    expect(answering.shutDown()).toBe(true);
    expect(answering.cancelled).toBe(false);
    answering.cancel();
    expect(answering.shutDown()).toBe(false);
    expect(answer).toHaveBeenCalledOnce();
  });
});

describe("InFlight", () => {
  test("of two requests under one id the newer is the one that can be cancelled", async () => {
    const inFlight = new InFlight();
    const [older, newer] = [new CallScope(), new CallScope()];
    let finishOlder = (): void => {};
    const first = inFlight.during(
      1,
      older,
      () =>
        new Promise<void>((resolve) => {
          finishOlder = resolve;
        }),
    );
    const second = inFlight.during(1, newer, () => new Promise<void>(() => {}));
    finishOlder();
    await first;
    inFlight.cancel(1);
    expect([older.cancelled, newer.cancelled]).toEqual([false, true]);
    expect(second).toBeInstanceOf(Promise);
  });

  test.each([[undefined], [null], [{}], ["1"], [2]])("%j names no request of it", async (id) => {
    const inFlight = new InFlight();
    const scope = new CallScope();
    await inFlight.during(1, scope, async () => {
      inFlight.cancel(id);
      await Promise.resolve();
    });
    expect(scope.cancelled).toBe(false);
  });
});

describe("sleep (R17)", () => {
  test("ends when the time is over, or at once when it is cancelled, and leaves no timer", async () => {
    const timers = new ManualTime();
    const controller = new AbortController();
    const whole = sleep(timers, 10, controller.signal);
    const cut = sleep(timers, 20, controller.signal);
    await timers.advance(10);
    expect(await whole).toBe(true);
    controller.abort();
    expect(await cut).toBe(false);
    expect(await sleep(timers, 0, controller.signal)).toBe(false);
    expect(timers.pending).toBe(0);
  });
});

describe("mirrored parameters", () => {
  test("are found along properties only", () => {
    const leaf = (name: unknown): object => ({ type: "string", "x-mcp-header": name });
    const schema = {
      properties: {
        a: leaf("A"),
        b: { properties: { c: leaf("Deep-One") }, items: leaf("Never") },
        d: leaf(7),
        e: true,
      },
      oneOf: [{ properties: { f: leaf("Never") } }],
    };
    expect(mirroredParams(schema as never)).toEqual([
      { header: "mcp-param-a", path: ["a"] },
      { header: "mcp-param-deep-one", path: ["b", "c"] },
    ]);
    expect(mirroredParams({ type: "object" })).toEqual([]);
  });

  test("are read at their exact path, and null is no value", () => {
    const args = { a: { b: 1, n: null } };
    expect(valueAt(args, ["a", "b"])).toBe(1);
    expect(valueAt(args, ["a", "n"])).toBeUndefined();
    expect(valueAt(args, ["a", "constructor"])).toBeUndefined();
    expect(valueAt(args, ["a", "b", "c"])).toBeUndefined();
    expect(valueAt(undefined, ["a"])).toBeUndefined();
  });

  test.each([
    ["42.0", 42, true],
    ["-7", -7, true],
    ["", 0, false],
    ["x", 1, false],
    ["true", true, true],
    ["True", true, false],
    ["a", "a", true],
    ["A", "a", false],
    ["{}", {}, true],
  ])("the header %j for %j: %s", (header, value, same) => {
    expect(saysTheSame(header, value)).toBe(same);
  });
});

describe("LineReader", () => {
  test.each([[1], [2], [3], [7], [1_000]])("gives the same lines from chunks of %d bytes", (size) => {
    const bytes = Buffer.from("one\ntwö\r\n\n\r\n世界\nunfinished");
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line.toString()));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(lines).toEqual(["one", "twö", "世界"]);
  });
});

describe("RequestCounters", () => {
  test("methods nobody has heard of share one counter beyond a bound", () => {
    const counters = new RequestCounters();
    for (let index = 0; index < 1_000; index += 1) {
      counters.countMessage({ kind: "request", message: { jsonrpc: "2.0", id: 1, method: `m${index}` } });
    }
    counters.countMessage({ kind: "unreadable" });
    counters.count("PATCH");
    expect(counters.method("m0")).toBe(1);
    expect(counters.method("m999")).toBe(0);
    expect(counters.method("(rest)")).toBe(1_000 - 64);
    expect([counters.total, counters.http.other]).toEqual([1, 1]);
  });
});
