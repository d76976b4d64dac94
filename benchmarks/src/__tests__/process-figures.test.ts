import { expect, test } from "vitest";
import { cpuSecondsOf } from "../process-cpu.js";
import { forgetPeakOf, peakResidentBytesOf, residentBytesOf } from "../process-memory.js";

const MIB = 2 ** 20;

test("the CPU time of a process grows while it works (R18)", () => {
  const before = cpuSecondsOf(process.pid);
  let sum = 0;
  for (let at = 0; at < 5_000_000; at++) sum += at % 7;
  expect(sum).toBeGreaterThan(0);
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(before);
});

test("the peak of a process's memory is kept by the kernel, and can be begun anew (R18)", () => {
  forgetPeakOf(process.pid);
  const before = residentBytesOf(process.pid);
  const taken = Buffer.alloc(64 * MIB, 1);
  expect(peakResidentBytesOf(process.pid) - before).toBeGreaterThan(48 * MIB);
  expect(taken.at(-1)).toBe(1);
});

test("a process that is gone has no figures", () => {
  expect(() => cpuSecondsOf(2 ** 30)).toThrow("ENOENT");
  expect(() => residentBytesOf(2 ** 30)).toThrow("ENOENT");
});
