import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { SectionLock } from "../section-lock.js";
import { useTempFolder } from "./temp-folder.js";

const PROGRAM = new URL("section-process.mjs", import.meta.url);
const folder = useTempFolder();
const lock = (): string => folder.at("x.lock");
const running = new Set<ChildProcess>();

afterEach(() => {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  running.clear();
  if (left.length > 0) throw new Error(`the test left ${left.length} process(es) running`);
});

function start(...args: string[]): { child: ChildProcess; exit: Promise<unknown[]> } {
  const child = spawn(process.execPath, [fileURLToPath(PROGRAM), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  return { child, exit: once(child, "exit").finally(() => running.delete(child)) };
}

/** Starts a process that stays in its section. */
async function inside(): Promise<ReturnType<typeof start>> {
  const started = start("stay", lock());
  const { stdout } = started.child;
  if (stdout === null) throw new Error("no output");
  await once(stdout, "data");
  return started;
}

describe("sections of several processes (R12)", () => {
  test("never overlap, whether they block or wait, and all of them are run", { timeout: 120_000 }, async () => {
    const file = folder.at("number");
    await writeFile(file, "0");
    const ends = ["sync", "async", "sync", "async"].map(async (kind) => start("count", lock(), file, "250", kind).exit);
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 4 }, () => [0, null]));
    expect(await readFile(file, "utf8")).toBe("1000");
    expect(await readdir(folder.at())).toEqual(["number"]);
  });

  test("one killed with SIGKILL in its section is replaced at once, not before", async () => {
    const { child, exit } = await inside();
    const impatient = new SectionLock(lock(), { blockMs: 0, waitMs: 0 });
    const error = { message: expect.stringContaining(`process ${child.pid}`) as string };
    expect(() => impatient.runSync(() => {})).toThrow(expect.objectContaining(error) as Error);
    await expect(impatient.run(() => {})).rejects.toMatchObject(error);
    child.kill("SIGKILL");
    await exit;
    expect(impatient.runSync(() => "next")).toBe("next");
    expect(await readdir(folder.at())).toEqual([]);
  });

  test("killed ones at every turn: sections go on, none overlaps", { timeout: 120_000 }, async () => {
    const file = folder.at("number");
    await writeFile(file, "0");
    const sections = new SectionLock(lock());
    for (let round = 0; round < 3; round++) {
      const { child, exit } = await inside();
      const counting = ["sync", "async"].map(async (kind) => start("count", lock(), file, "50", kind).exit);
      child.kill("SIGKILL");
      await exit;
      expect(await Promise.all(counting)).toEqual([
        [0, null],
        [0, null],
      ]);
      expect(await sections.run(() => "next")).toBe("next");
    }
    expect(await readFile(file, "utf8")).toBe("300");
    expect(await readdir(folder.at())).toEqual(["number"]);
  });

  test("one in another thread of this process is waited for, blocking or not", async () => {
    for (const kind of ["sync", "async"]) {
      const signal = new Int32Array(new SharedArrayBuffer(8));
      const thread = new Worker(PROGRAM, { workerData: { lock: lock(), signal } });
      const exit = once(thread, "exit");
      while (Atomics.load(signal, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(() => new SectionLock(lock(), { blockMs: 0 }).runSync(() => {})).toThrow(`process ${process.pid}`);
      const free = (): void => {
        Atomics.store(signal, 1, 1);
        Atomics.notify(signal, 1);
      };
      if (kind === "sync") {
        expect(new SectionLock(lock(), { pause: free, blockMs: 30_000 }).runSync(() => "next")).toBe("next");
      } else {
        const waiting = new SectionLock(lock()).run(() => "next");
        free();
        expect(await waiting).toBe("next");
      }
      expect(await exit).toEqual([0]);
    }
    expect(await readdir(folder.at())).toEqual([]);
  });
});
