import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { livenessOf, ownIdentity, parseProcStat, type ProcessIdentity } from "../process-identity.js";

const self: ProcessIdentity = { pid: 10, host: "h", bootId: "b", namespace: "n", startTime: "100" };
const startedAt = (startTime: string | undefined) => (): string | undefined => startTime;

describe("livenessOf", () => {
  test.each<[string, Partial<ProcessIdentity>, string | undefined, string]>([
    ["the same start time: the same process", {}, "100", "alive"],
    ["another start time: its number was given to another", {}, "200", "gone"],
    ["no such process", {}, undefined, "gone"],
    ["a start time that cannot be told", {}, "", "alive"],
    ["one that left no start time", { startTime: "" }, "100", "alive"],
    ["another boot of this machine", { bootId: "old" }, "100", "gone"],
    ["another machine", { bootId: "other", host: "other" }, undefined, "unknown"],
    ["one that left no boot id", { bootId: "" }, undefined, "unknown"],
    ["another container on this machine", { namespace: "other" }, undefined, "unknown"],
    ["a machine that was renamed", { host: "old name" }, "100", "alive"],
  ])("%s", (_, other, startTime, expected) => {
    expect(livenessOf({ ...self, ...other }, self, startedAt(startTime))).toBe(expected);
  });

  test.each([
    ["h", "7", "alive"],
    ["h", undefined, "gone"],
    ["other", undefined, "unknown"],
  ])("without boot ids the host name tells the machine: %s", (host, startTime, expected) => {
    const plain = { ...self, bootId: "", namespace: "", startTime: "" };
    expect(livenessOf({ ...plain, host }, plain, startedAt(startTime))).toBe(expected);
  });

  test("a process that cannot be looked at is unknown", () => {
    const refuse = (): never => {
      throw new Error("EACCES");
    };
    expect(livenessOf(self, self, refuse)).toBe("unknown");
  });

  test("this process is alive, and a child is until it is killed", async () => {
    const own = ownIdentity();
    expect(livenessOf(own, own)).toBe("alive");
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    const other = { ...own, pid: child.pid ?? 0, startTime: "" };
    expect(livenessOf(other, own)).toBe("alive");
    expect(livenessOf({ ...other, startTime: own.startTime }, own)).toBe("gone");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(livenessOf(other, own)).toBe("gone");
  });

  test("two looks at this process see one identity", () => {
    expect(ownIdentity()).toEqual(ownIdentity());
    expect(ownIdentity().pid).toBe(process.pid);
  });
});

describe("parseProcStat", () => {
  test("a name with spaces and brackets does not shift the fields", () => {
    const text = `7 (a) (b c) S 1 ${Array.from({ length: 17 }, (_, index) => index).join(" ")} 4711 0 0`;
    expect(parseProcStat(text)).toEqual({ state: "S", startTime: "4711" });
  });

  test.each(["", "7 (x) S", "nonsense"])("what is no stat gives nothing: %j", (text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });
});
