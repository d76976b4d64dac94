import type { Logger } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { FIVE_MINUTES, Refresh, scheduler, seededRandom } from "./refresh-scheduler-set-up.js";

describe("R5: forceRefresh()", () => {
  test("R5: refreshes at once, and the next interval counts from there", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    it.start();
    await time.advance(FIVE_MINUTES - 1);
    await it.forceRefresh();
    expect(onRefresh).toHaveBeenCalledTimes(1);
    expect(time.delays).toEqual([FIVE_MINUTES]);
  });

  test("R5: refreshes also when it was not started, and starts nothing", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    await it.forceRefresh();
    expect([onRefresh.mock.calls.length, time.pending]).toEqual([1, 0]);
  });

  test("R5: the plan's leak: meeting a scheduled run it is that run, and one timer follows", async () => {
    const refresh = new Refresh();
    const { time, logger, scheduler: it } = scheduler({ onRefresh: refresh.run });
    it.start();
    await time.advance(FIVE_MINUTES);
    const ended: number[] = [];
    const forced = [1, 2, 3].map(async (n) => {
      await it.forceRefresh();
      ended.push(n);
    });
    await time.advance(0);
    expect([refresh.calls, ended, time.pending]).toEqual([1, [], 0]);
    refresh.end();
    await Promise.all(forced);
    expect([ended, time.pending]).toEqual([[1, 2, 3], 1]);
    expect(logger.messages("info")).toEqual(["Refresh completed"]);
  });

  test("R5: while a forced one runs, the scheduled time passes without a second one", async () => {
    const refresh = new Refresh();
    const { time, scheduler: it } = scheduler({ onRefresh: refresh.run });
    it.start();
    const forced = it.forceRefresh();
    await time.advance(3 * FIVE_MINUTES);
    expect([refresh.calls, time.pending]).toEqual([1, 0]);
    refresh.end();
    await forced;
    expect(time.delays).toEqual([FIVE_MINUTES]);
  });

  test("R5: asked for from within a refresh it is that refresh", async () => {
    let within: Promise<void> | undefined;
    let calls = 0;
    const { scheduler: it } = scheduler({
      onRefresh: () => {
        calls += 1;
        within = it.forceRefresh();
      },
    });
    await it.forceRefresh();
    await within;
    expect(calls).toBe(1);
  });

  test("R5: under any order of start, stop, force and time there is one timer at most and one refresh in flight", async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = seededRandom(seed);
      const refresh = new Refresh();
      let inFlight = 0;
      const onRefresh = async (): Promise<void> => {
        inFlight += 1;
        expect(inFlight).toBe(1);
        await refresh.run();
        inFlight -= 1;
      };
      const { time, scheduler: it } = scheduler({ onRefresh, random });
      const steps = [
        async () => it.start(),
        async () => it.stop(),
        async () => void it.forceRefresh(),
        async () => refresh.end(),
        async () => time.advance(random.next() * 2 * FIVE_MINUTES),
      ];
      for (let n = 0; n < 40; n += 1) {
        await steps[Math.floor(random.next() * steps.length)]?.();
        expect(time.pending).toBeLessThanOrEqual(1);
      }
      it.stop();
      refresh.end();
      await time.advance(FIVE_MINUTES);
      expect(time.pending).toBe(0);
    }
  });
});

describe("R5: what it logs, and what it survives", () => {
  test("R5, R16: a success is one line at info with brand and start", async () => {
    const { time, logger, scheduler: it } = scheduler();
    const startedAt = time.now();
    await it.forceRefresh();
    expect(logger.lines).toEqual([
      { level: "info", fields: { brand: "brAInwav", startedAt }, message: "Refresh completed" },
    ]);
  });

  test.each<[string, unknown, string]>([
    ["an Error", new Error("the publisher is away"), "the publisher is away"],
    ["an Error without a message", new TypeError(""), "TypeError"],
    ["a string", "no luck", "no luck"],
    ["an empty string", "", "unknown error"],
    ["undefined", undefined, "unknown error"],
    ["null", null, "unknown error"],
    ["an object", { message: "hm" }, "unknown error"],
  ])(
    "R5, R19 error: rejecting with %s or throwing it is one line at warn, and the schedule goes on",
    async (_name, thrown, error) => {
      const rejects = scheduler({
        onRefresh: async () => {
          throw thrown as Error;
        },
      });
      const throws = scheduler({
        onRefresh: () => {
          throw thrown as Error;
        },
      });
      for (const { time, logger, scheduler: it } of [rejects, throws]) {
        it.start();
        await time.advance(FIVE_MINUTES);
        await expect(it.forceRefresh()).resolves.toBeUndefined();
        const line = { level: "warn", fields: { brand: "brAInwav", error }, message: "Refresh failed" };
        expect(logger.lines).toEqual([line, line]);
        expect(time.pending).toBe(1);
      }
    },
  );

  test("R5: of the logger it uses info and warn, and nothing else of it need exist", async () => {
    const used: string[] = [];
    const methods: Pick<Logger, "info" | "warn"> = { info: () => used.push("info"), warn: () => used.push("warn") };
    const logger = new Proxy(methods, {
      get: (target, name) => {
        if (name !== "info" && name !== "warn") throw new Error(`${String(name)} was asked for`);
        return target[name];
      },
    });
    const onRefresh = vi.fn<() => Promise<void>>(async () => {}).mockRejectedValueOnce(new Error("once"));
    const { time, scheduler: it } = scheduler({ onRefresh, logger });
    it.start();
    await time.advance(2 * FIVE_MINUTES);
    it.stop();
    expect(used).toEqual(["warn", "info"]);
  });

  test("R5: a logger that throws ends neither the schedule nor the process", async () => {
    const fail = (): never => {
      throw new Error("the log's disk is full");
    };
    const onRefresh = vi.fn<() => Promise<void>>(async () => {}).mockRejectedValueOnce(new Error("once"));
    const { time, scheduler: it } = scheduler({ onRefresh, logger: { info: fail, warn: fail } });
    it.start();
    await time.advance(2 * FIVE_MINUTES);
    await expect(it.forceRefresh()).resolves.toBeUndefined();
    expect([onRefresh.mock.calls.length, time.pending]).toEqual([3, 1]);
  });
});
