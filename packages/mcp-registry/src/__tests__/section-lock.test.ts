import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { nodeFs } from "../fs/node-fs.js";
import type { RegistryFs } from "../fs/registry-fs.js";
import { acquireLock } from "../lock.js";
import { ownIdentity } from "../process-identity.js";
import { SectionLock, type SectionLockOptions } from "../section-lock.js";
import { deadIdentity, leaveLock } from "./lock-fixture.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const lock = (): string => folder.at("x.lock");
const isHeld = (): boolean => readdirSync(folder.at()).includes("x.lock");
const sectionLock = (options?: SectionLockOptions): SectionLock => new SectionLock(lock(), options);
const boom = (): never => {
  throw new Error("boom");
};

/** A file system that refuses to remove anything as often as it is told. */
function stuck(times: number): RegistryFs {
  let left = times;
  return {
    ...nodeFs,
    unlink: (path) => {
      if (left-- > 0) throw Object.assign(new Error("EACCES: told to"), { code: "EACCES" });
      nodeFs.unlink(path);
    },
  };
}

describe("a section", () => {
  test("runs under the lock, which is given back before its result is had", async () => {
    const sections = sectionLock();
    expect(sections.runSync(isHeld)).toBe(true);
    expect(isHeld()).toBe(false);
    expect(await sections.run(isHeld)).toBe(true);
    expect(isHeld()).toBe(false);
  });

  test("costs three calls to the file system when nobody is in the way", () => {
    const calls: string[] = [];
    const fs: RegistryFs = {
      ...nodeFs,
      symlink: (text, name) => {
        calls.push("symlink");
        nodeFs.symlink(text, name);
      },
      readlink: (path) => {
        calls.push("readlink");
        return nodeFs.readlink(path);
      },
      unlink: (path) => {
        calls.push("unlink");
        nodeFs.unlink(path);
      },
    };
    sectionLock({ fs }).runSync(() => {});
    expect(calls).toEqual(["symlink", "readlink", "unlink"]);
  });

  test("that throws gives the lock back, and its error is what the caller gets", async () => {
    const sections = sectionLock();
    expect(() => sections.runSync(boom)).toThrow("boom");
    expect(isHeld()).toBe(false);
    await expect(sections.run(boom)).rejects.toThrow("boom");
    expect(isHeld()).toBe(false);
  });

  test("that would go on after it returned is refused by the compiler", async () => {
    const sections = sectionLock();
    // @ts-expect-error a promise is no result of a section
    const refused = sections.run(async () => "late");
    // @ts-expect-error nor is one now and then
    void sections.runSync((): number | Promise<number> => 1);
    expect(await refused).toBe("late");
    expect(sections.runSync((): number | undefined => 1)).toBe(1);
  });

  test("within a section is a bug, whichever instance begins it, and the outer one's lock is given back", async () => {
    const sections = sectionLock();
    for (const inner of [sections, sectionLock()]) {
      expect(() => sections.runSync(() => inner.runSync(() => {}))).toThrow(
        expect.objectContaining({ code: "INTERNAL" }) as Error,
      );
      let nested: unknown;
      sections.runSync(() => {
        nested = inner.run(() => {});
      });
      await expect(nested).rejects.toMatchObject({ code: "INTERNAL" });
    }
    expect(isHeld()).toBe(false);
  });

  test("under another lock may run within it", () => {
    const other = new SectionLock(folder.at("y.lock"));
    expect(sectionLock().runSync(() => other.runSync(() => readdirSync(folder.at())))).toEqual(["x.lock", "y.lock"]);
  });

  test("whose lock was removed by hand and taken by another leaves it to that one", () => {
    sectionLock().runSync(() => {
      rmSync(lock());
      leaveLock(lock(), { ...ownIdentity(), pid: process.ppid, startTime: "" }, "0123456789abcdef");
    });
    expect(readlinkSync(lock())).toContain("0123456789abcdef");
    rmSync(lock());
  });

  test("a folder that does not exist is an error that names the lock", async () => {
    const sections = new SectionLock(folder.at("none", "x.lock"));
    const error = { code: "REGISTRY_IO", message: expect.stringContaining("x.lock") as string };
    expect(() => sections.runSync(() => {})).toThrow(expect.objectContaining(error) as Error);
    await expect(sections.run(() => {})).rejects.toMatchObject(error);
  });
});

describe("a lock that cannot be given back", () => {
  test("is no failure of a section that went well, and no hindrance to the next", async () => {
    const sections = sectionLock({ fs: stuck(1), blockMs: 0 });
    expect(sections.runSync(() => "first")).toBe("first");
    expect(isHeld()).toBe(true);
    expect(sections.runSync(() => "next")).toBe("next");
    expect(readdirSync(folder.at())).toEqual([]);
    const others = sectionLock({ fs: stuck(1), waitMs: 0 });
    expect(await others.run(() => "first")).toBe("first");
    expect(await others.run(() => "next")).toBe("next");
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("does not hide what the section threw, and is no hindrance to another instance", () => {
    expect(() => sectionLock({ fs: stuck(1) }).runSync(boom)).toThrow("boom");
    expect(isHeld()).toBe(true);
    expect(sectionLock({ blockMs: 0 }).runSync(() => "next")).toBe("next");
    expect(readdirSync(folder.at())).toEqual([]);
  });
});

describe("a section that has to wait", () => {
  test("a dead holder is replaced without any wait", async () => {
    leaveLock(lock(), await deadIdentity(), "0123456789abcdef", 0);
    expect(sectionLock({ blockMs: 0 }).runSync(isHeld)).toBe(true);
    leaveLock(lock(), await deadIdentity(), "0123456789abcdef", 0);
    expect(await sectionLock({ waitMs: 0 }).run(isHeld)).toBe(true);
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("blocks for a moment at a time, longer ones as it goes on, until the other is done", () => {
    leaveLock(lock(), { ...ownIdentity(), pid: process.ppid, startTime: "" }, "0123456789abcdef");
    const pauses: number[] = [];
    const pause = (ms: number): void => {
      pauses.push(ms);
      if (pauses.length === 9) rmSync(lock());
    };
    expect(sectionLock({ pause, random: fixedRandom(0.5) }).runSync(isHeld)).toBe(true);
    expect(pauses).toEqual([0.025, 0.05, 0.1, 0.2, 0.4, 0.5, 0.5, 0.5, 0.5]);
  });

  test("blocks for 5 s at most, then names who holds it", async () => {
    const held = await acquireLock(lock());
    expect(() => sectionLock({ pause: () => {}, monotonic: stepping(500) }).runSync(() => {})).toThrow(
      expect.objectContaining({
        code: "REGISTRY_IO",
        message: expect.stringContaining(`held for 5000 ms by process ${process.pid} on ${ownIdentity().host}`),
      }) as Error,
    );
    await held.release();
  });

  test("waits for a holder in this thread that awaits, and lets the event loop go on", async () => {
    const held = await acquireLock(lock());
    const time = new ManualTime();
    const order: string[] = [];
    const waiting = sectionLock({ timers: time, monotonic: time, random: fixedRandom(0.5) }).run(() => {
      order.push("section");
      return isHeld();
    });
    await time.advance(1_000);
    order.push("released");
    await held.release();
    await time.advance(1_000);
    expect(await waiting).toBe(true);
    expect(order).toEqual(["released", "section"]);
    expect(time.pending).toBe(0);
  });

  test("gives up after waitMs, or when it is called off; nothing is run then", async () => {
    const held = await acquireLock(lock());
    const section = vi.fn<() => void>();
    await expect(sectionLock({ waitMs: 0 }).run(section)).rejects.toMatchObject({ code: "REGISTRY_IO" });
    const signal = AbortSignal.abort(new Error("called off"));
    await expect(sectionLock({ signal }).run(section)).rejects.toThrow("called off");
    await held.release();
    expect(section).not.toHaveBeenCalled();
  });

  test("what is no lock counts as nobody's two seconds after an instance first met it", () => {
    writeFileSync(lock(), "");
    const monotonic = stepping(500);
    const sections = sectionLock({ monotonic, pause: () => {}, blockMs: 1_000 });
    expect(() => sections.runSync(() => {})).toThrow("somebody who left no name");
    expect(sections.runSync(isHeld)).toBe(true);
    expect(readdirSync(folder.at())).toEqual([]);
  });
});

/** A clock that goes on by `stepMs` each time it is read. */
function stepping(stepMs: number): { elapsedMs: () => number } {
  let nowMs = 0;
  return { elapsedMs: () => (nowMs += stepMs) };
}
