import { mkdirSync, readdirSync, readlinkSync, renameSync, rmdirSync } from "node:fs";
import { lutimes } from "node:fs/promises";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { nodeFs } from "../fs/node-fs.js";
import type { RegistryFs } from "../fs/registry-fs.js";
import { lockSettings, type LockOptions } from "../lock-options.js";
import { LockTaker } from "../lock-taker.js";
import { ownIdentity, type ProcessIdentity } from "../process-identity.js";
import { deadIdentity, leaveLock } from "./lock-fixture.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const lock = (): string => folder.at("x.lock");
const TOKEN = "0123456789abcdef";
/** Another process that is there. */
const other = (): ProcessIdentity => ({ ...ownIdentity(), pid: process.ppid, startTime: "" });

function taker(options: LockOptions = {}, isSection = true): LockTaker {
  return new LockTaker(lock(), lockSettings(options), { isSection });
}

/** A file system on which `before` runs before the first call of `method` to a path that `matches`. */
function interrupted(method: "symlink" | "unlink", matches: RegExp, before: () => void): RegistryFs {
  let isDone = false;
  const interrupt = (path: string): void => {
    if (isDone || !matches.test(path)) return;
    isDone = true;
    before();
  };
  return {
    ...nodeFs,
    [method](...args: [string, string]) {
      interrupt(args.at(-1) ?? "");
      if (method === "symlink") nodeFs.symlink(...args);
      else nodeFs.unlink(args[0]);
    },
  };
}

const failing = (method: keyof RegistryFs, code: string): RegistryFs => ({
  ...nodeFs,
  [method]: () => {
    throw Object.assign(new Error(`${code}: told to`), { code });
  },
});

describe("two that find the same dead holder", () => {
  test("the slower one leaves the faster one's new lock alone", async () => {
    leaveLock(lock(), await deadIdentity(), TOKEN);
    const faster = taker({ self: other() }, false);
    let taken: ReturnType<LockTaker["attempt"]> | undefined;
    const fs = interrupted("symlink", /x\.lock-/, () => {
      taken = faster.attempt();
    });
    expect(taker({ fs }).attempt()).toMatchObject({ holder: { content: { holder: { pid: process.ppid } } } });
    expect(readlinkSync(lock())).toContain(taken?.lock?.token);
    taken?.lock?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("one that finds the other at it takes nothing away", async () => {
    leaveLock(lock(), await deadIdentity(), TOKEN);
    const found: unknown[] = [];
    const fs = interrupted("unlink", /x\.lock$/, () => {
      found.push(taker({ self: other() }).attempt(), readlinkSync(lock()));
    });
    const { lock: taken } = taker({ fs }).attempt();
    expect(found).toMatchObject([{ holder: { key: TOKEN } }, expect.stringContaining(TOKEN)]);
    taken?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("a lock that was given back or removed by hand meanwhile is taken", async () => {
    leaveLock(lock(), await deadIdentity(), TOKEN);
    const fs = interrupted("unlink", /x\.lock$/, () => {
      nodeFs.unlink(lock());
    });
    taker({ fs }).attempt().lock?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("a holder that gives back between two looks is nobody", () => {
    leaveLock(lock(), other(), TOKEN);
    const fs: RegistryFs = {
      ...nodeFs,
      readlink: (path) => {
        nodeFs.unlink(path);
        return nodeFs.readlink(path);
      },
    };
    expect(taker({ fs }).attempt()).toEqual({ holder: undefined });
  });
});

describe("what this thread left behind", () => {
  test("is replaced at once, its guard too", () => {
    leaveLock(lock(), ownIdentity(), TOKEN, 0);
    leaveLock(`${lock()}-${TOKEN}`, ownIdentity(), "f".repeat(16), 0);
    const { lock: taken } = taker().attempt();
    expect(taken).toBeDefined();
    taken?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test.each<[string, Partial<ProcessIdentity>, number | undefined]>([
    ["another thread of this process", {}, 7],
    ["a lock that is held across turns", {}, undefined],
    ["this number on another machine", { host: "elsewhere", bootId: "x" }, 0],
    ["this number after another boot", { bootId: "x", host: "elsewhere" }, 0],
    ["this number in another container", { namespace: "pid:[1]" }, 0],
    ["another process", { pid: process.ppid, startTime: "" }, 0],
  ])("is not %s", (_, differs, thread) => {
    leaveLock(lock(), { ...ownIdentity(), ...differs }, TOKEN, thread);
    expect(taker().attempt()).toMatchObject({ holder: { key: TOKEN } });
    nodeFs.unlink(lock());
  });
});

describe("a holder that cannot be judged", () => {
  const elsewhere = (): ProcessIdentity => ({ ...ownIdentity(), namespace: "pid:[1]" });

  test("is looked at again when it may have come to the age, and not before: to look makes files", async () => {
    leaveLock(lock(), elsewhere(), TOKEN);
    const time = new ManualTime();
    let guards = 0;
    const fs: RegistryFs = {
      ...nodeFs,
      symlink: (text, name) => {
        if (name.includes(".lock-")) guards++;
        nodeFs.symlink(text, name);
      },
    };
    const patient = taker({ fs, monotonic: time, unjudgedStaleMs: 60_000 });
    expect(patient.attempt().lock).toBeUndefined();
    await time.advance(30_000);
    expect(patient.attempt().lock).toBeUndefined();
    expect(guards).toBe(1);
    await lutimes(lock(), new Date(0), new Date(0));
    await time.advance(30_000);
    patient.attempt().lock?.giveBack();
    expect(guards).toBe(2);
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("that gives back while it is looked at has not lost its lock: it is taken the next time", () => {
    leaveLock(lock(), elsewhere(), TOKEN);
    const fs: RegistryFs = {
      ...nodeFs,
      stat: (path) => {
        if (path === lock()) nodeFs.unlink(path);
        return nodeFs.stat(path);
      },
    };
    const patient = taker({ fs, unjudgedStaleMs: 60_000 });
    expect(patient.attempt().lock).toBeUndefined();
    patient.attempt().lock?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });

  test("liveness can be simulated", () => {
    leaveLock(lock(), other(), TOKEN);
    taker({ livenessOf: ({ pid }) => (pid === process.ppid ? "gone" : "alive") })
      .attempt()
      .lock?.giveBack();
    expect(readdirSync(folder.at())).toEqual([]);
  });
});

describe("a file system that refuses", () => {
  test.each<[keyof RegistryFs, string, string]>([
    ["symlink", "EACCES", "cannot create the lock .*x.lock: permission"],
    ["symlink", "EPERM", "cannot create the lock .*x.lock: .* has symbolic links"],
    ["readlink", "EIO", "cannot read the lock .*x.lock"],
    ["unlink", "EROFS", "cannot remove the lock .*x.lock"],
  ])("%s fails with %s: an error that names the lock", async (method, code, words) => {
    leaveLock(lock(), await deadIdentity(), TOKEN);
    expect(() => taker({ fs: failing(method, code) }).attempt()).toThrow(
      expect.objectContaining({
        code: "REGISTRY_IO",
        message: expect.stringMatching(words) as string,
      }) as Error,
    );
    for (const name of readdirSync(folder.at())) nodeFs.unlink(folder.at(name));
  });

  test("a holder's age that cannot be told is an error that names the lock", () => {
    leaveLock(lock(), { ...ownIdentity(), namespace: "pid:[1]" }, TOKEN);
    const fs = failing("stat", "EIO");
    expect(() => taker({ fs, unjudgedStaleMs: 1 }).attempt()).toThrow(
      expect.objectContaining({ code: "REGISTRY_IO", message: expect.stringContaining(lock()) as string }) as Error,
    );
    nodeFs.unlink(lock());
  });

  test("a folder that takes the place of a held lock is told of when it is given back", () => {
    const { lock: taken } = taker().attempt();
    renameSync(lock(), folder.at("moved"));
    mkdirSync(lock());
    expect(() => taken?.giveBack()).toThrow("is a folder: move it away");
    rmdirSync(lock());
    taken?.giveBack();
  });
});
