import { describe, expect, test, vi } from "vitest";
import { exitCodeOf, processIo } from "../process-io.js";

describe("the process's own I/O", () => {
  test("writes lines where they belong, and knows its surroundings", () => {
    const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const io = processIo(new Set());
    io.out("to out");
    io.err("to err");
    expect([out.mock.calls, err.mock.calls]).toEqual([[["to out\n"]], [["to err\n"]]]);
    expect(io.cwd).toBe(process.cwd());
    expect(io.terminal.columns).toBeGreaterThanOrEqual(40);
  });

  test("hears signals and bugs until told not to", () => {
    const fatals = new Set<(error: unknown) => void>();
    const io = processIo(fatals);
    const before = process.listenerCount("SIGTERM");
    const heard: unknown[] = [];
    const stopSignals = io.onSignal((signal) => heard.push(signal));
    const stopFatals = io.onFatal((error) => heard.push(error));
    process.emit("SIGHUP", "SIGHUP");
    for (const listener of fatals) listener("bug");
    expect(heard).toEqual(["SIGHUP", "bug"]);
    stopSignals();
    stopFatals();
    expect([process.listenerCount("SIGTERM"), fatals.size]).toEqual([before, 0]);
  });

  test("exits with the code it is given; a signal's is what a shell reports", () => {
    const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as typeof process.exit);
    processIo(new Set()).exit(exitCodeOf("SIGINT"));
    expect(exit.mock.calls).toEqual([[130]]);
  });
});
