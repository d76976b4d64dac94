import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { acquireLock, type Lock } from "../lock.js";
import { ownIdentity } from "../process-identity.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const TOKEN = "0123456789abcdef0123456789abcdef";

/** An identity of this machine whose process is gone. */
async function deadIdentity(): Promise<object> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return { ...ownIdentity(), pid: child.pid, startTime: "1" };
}

/** Moves the time on until `acquiring` settles. */
async function drive<T>(time: ManualTime, acquiring: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  acquiring.then(done, done);
  await vi.waitFor(
    async () => {
      await time.advance(time.delays[0] ?? 0);
      expect(settled).toBe(true);
    },
    { timeout: 10_000, interval: 0 },
  );
  return acquiring;
}

describe("the lock between processes", () => {
  test("is a file while it is held, and none after", async () => {
    const lock = await acquireLock(folder.at("x.lock"));
    expect(JSON.parse(await readFile(folder.at("x.lock"), "utf8"))).toMatchObject({
      pid: process.pid,
      token: lock.token,
    });
    await lock.release();
    await lock.release();
    await expect(readFile(folder.at("x.lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("one holder at a time, and every one of fifty gets its turn", async () => {
    let inside = 0;
    let most = 0;
    const turn = async (): Promise<void> => {
      const lock = await acquireLock(folder.at("x.lock"));
      most = Math.max(most, ++inside);
      await readFile(folder.at("x.lock"));
      inside--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 50 }, turn));
    expect(most).toBe(1);
  });

  test("waiting ends when it is called off, and the lock is not taken", async () => {
    const held = await acquireLock(folder.at("x.lock"));
    const abort = new AbortController();
    const waiting = acquireLock(folder.at("x.lock"), { signal: abort.signal });
    abort.abort(new Error("called off"));
    await expect(waiting).rejects.toThrow("called off");
    await held.release();
    await expect(acquireLock(folder.at("x.lock"), { signal: abort.signal })).rejects.toThrow("called off");
    await expect(readFile(folder.at("x.lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a holder that stays is named after the wait, with what to do", async () => {
    const held = await acquireLock(folder.at("x.lock"));
    const time = new ManualTime();
    const waiting = acquireLock(folder.at("x.lock"), {
      waitMs: 500,
      timers: time,
      monotonic: time,
      random: fixedRandom(0.5),
    });
    await expect(drive(time, waiting)).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringMatching(
        new RegExp(`x\\.lock has been held for 500 ms by process ${process.pid} on .*stop it or remove the file`),
      ) as string,
    });
    await held.release();
  });

  test("a dead holder is replaced at once, and its token is told", async () => {
    await writeFile(folder.at("x.lock"), JSON.stringify({ ...(await deadIdentity()), token: TOKEN }));
    const lock = await acquireLock(folder.at("x.lock"), { waitMs: 0 });
    expect(lock.abandoned).toEqual([TOKEN]);
    await lock.release();
  });

  test("of fifty that find a dead holder at once one takes over, and the others queue behind it", async () => {
    await writeFile(folder.at("x.lock"), JSON.stringify({ ...(await deadIdentity()), token: TOKEN }));
    let inside = 0;
    let most = 0;
    const abandoned: string[] = [];
    const turn = async (): Promise<void> => {
      const lock = await acquireLock(folder.at("x.lock"));
      most = Math.max(most, ++inside);
      abandoned.push(...lock.abandoned);
      await readFile(folder.at("x.lock"));
      inside--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 50 }, turn));
    expect({ most, abandoned }).toEqual({ most: 1, abandoned: [TOKEN] });
  });

  test("one that died while it took over from a dead one is replaced as well", async () => {
    const dead = await deadIdentity();
    await writeFile(folder.at("x.lock"), JSON.stringify({ ...dead, token: TOKEN }));
    await writeFile(folder.at(`x.lock-${TOKEN}`), JSON.stringify({ ...dead, token: TOKEN.replaceAll("0", "f") }));
    const lock = await acquireLock(folder.at("x.lock"), { waitMs: 0 });
    expect(lock.abandoned).toEqual([TOKEN]);
    await lock.release();
  });

  test("a holder in another container cannot be judged, and is waited for", async () => {
    const elsewhere = { ...ownIdentity(), namespace: "pid:[1]", pid: 999_999, token: TOKEN };
    await writeFile(folder.at("x.lock"), JSON.stringify(elsewhere));
    await expect(acquireLock(folder.at("x.lock"), { waitMs: 0 })).rejects.toMatchObject({
      message: expect.stringContaining("process 999999") as string,
    });
    await rm(folder.at("x.lock"));
  });

  describe("that may be taken from a holder that cannot be judged after a while", () => {
    const elsewhere = { ...ownIdentity(), namespace: "pid:[1]", pid: 999_999, token: TOKEN };
    const options = { waitMs: 0, unjudgedStaleMs: 60_000 };
    const leftBehind = async (ageMs: number): Promise<void> => {
      await writeFile(folder.at("x.lock"), JSON.stringify(elsewhere));
      const { mtimeMs } = await stat(folder.at("x.lock"));
      await utimes(folder.at("x.lock"), new Date(mtimeMs), new Date(mtimeMs - ageMs));
    };

    test("is waited for before that, and nothing is left beside it", async () => {
      await leftBehind(50_000);
      await expect(acquireLock(folder.at("x.lock"), options)).rejects.toMatchObject({ code: "REGISTRY_IO" });
      expect(await readdir(folder.at())).toEqual(["x.lock"]);
      expect(await readFile(folder.at("x.lock"), "utf8")).toContain(TOKEN);
      await rm(folder.at("x.lock"));
    });

    test("is taken over after that, by one of fifty", async () => {
      await leftBehind(61_000);
      let inside = 0;
      let most = 0;
      const abandoned: string[] = [];
      const turn = async (): Promise<void> => {
        const lock = await acquireLock(folder.at("x.lock"), { unjudgedStaleMs: 60_000 });
        most = Math.max(most, ++inside);
        abandoned.push(...lock.abandoned);
        await readFile(folder.at("x.lock"));
        inside--;
        await lock.release();
      };
      await Promise.all(Array.from({ length: 50 }, turn));
      expect({ most, abandoned }).toEqual({ most: 1, abandoned: [TOKEN] });
      expect(await readdir(folder.at())).toEqual([]);
    });

    test("is taken over though one that died elsewhere while it did the same left its guard", async () => {
      await leftBehind(61_000);
      const guard = folder.at(`x.lock-${TOKEN}`);
      await writeFile(guard, JSON.stringify({ ...elsewhere, token: TOKEN.replaceAll("0", "f") }));
      await utimes(guard, new Date(0), new Date(0));
      const lock = await acquireLock(folder.at("x.lock"), options);
      await lock.release();
      expect(await readdir(folder.at())).toEqual([]);
    });

    test("stays with a holder here that is alive, however old its file is", async () => {
      const held = await acquireLock(folder.at("x.lock"));
      await utimes(folder.at("x.lock"), new Date(0), new Date(0));
      await expect(acquireLock(folder.at("x.lock"), options)).rejects.toMatchObject({ code: "REGISTRY_IO" });
      await held.release();
    });
  });

  test.each([
    ["empty", ""],
    ["torn", '{"pid": 1, "ho'],
    ["not an object", "null"],
    ["without a token", JSON.stringify(ownIdentity())],
    ["with a token that is a path", JSON.stringify({ ...ownIdentity(), token: "../../x" })],
  ])("a lock file that is %s has lost its writer after two seconds, not before", async (_, content) => {
    await writeFile(folder.at("x.lock"), content);
    await expect(acquireLock(folder.at("x.lock"), { waitMs: 0 })).rejects.toMatchObject({
      message: expect.stringContaining("left no name") as string,
    });
    const time = new ManualTime();
    const lock = await drive(
      time,
      acquireLock(folder.at("x.lock"), { timers: time, monotonic: time, random: fixedRandom(0.9) }),
    );
    expect(time.elapsedMs()).toBeGreaterThanOrEqual(2_000);
    expect(lock.abandoned).toEqual([]);
    await lock.release();
  });

  test("a dangling link in its place is waited for with an end, not for ever", async () => {
    await symlink(folder.at("nowhere"), folder.at("x.lock"));
    await expect(acquireLock(folder.at("x.lock"), { waitMs: 20 })).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await rm(folder.at("x.lock"));
  });

  test("a folder that does not exist is an error that names the lock", async () => {
    await expect(acquireLock(folder.at("none", "x.lock"))).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining("x.lock") as string,
    });
  });

  test("a folder in its place is an error, and one found at release too", async () => {
    await mkdir(folder.at("x.lock"));
    await expect(acquireLock(folder.at("x.lock"))).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await rm(folder.at("x.lock"), { recursive: true });
    const lock = await acquireLock(folder.at("x.lock"));
    await rm(folder.at("x.lock"));
    await mkdir(folder.at("x.lock"));
    await expect(lock.release()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await rm(folder.at("x.lock"), { recursive: true });
  });

  test("one that was removed by hand and taken by another is left to that one", async () => {
    const first = await acquireLock(folder.at("x.lock"));
    await rm(folder.at("x.lock"));
    const second: Lock = await acquireLock(folder.at("x.lock"));
    await first.release();
    expect(await readFile(folder.at("x.lock"), "utf8")).toContain(second.token);
    await second.release();
  });
});
