import { lstat, lutimes, mkdir, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { acquireLock, type Lock } from "../lock.js";
import { parseLockText } from "../lock-text.js";
import { ownIdentity } from "../process-identity.js";
import { deadIdentity, leaveLock } from "./lock-fixture.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const TOKEN = "0123456789abcdef0123456789abcdef";

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
  test("is a link that names its holder while it is held, and nothing after", async () => {
    const lock = await acquireLock(folder.at("x.lock"));
    expect(parseLockText(await readlink(folder.at("x.lock")))).toEqual({
      holder: expect.objectContaining({ pid: process.pid, startTime: ownIdentity().startTime }) as object,
      thread: undefined,
      token: lock.token,
    });
    await lock.release();
    await lock.release();
    await expect(readlink(folder.at("x.lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("one holder at a time, and every one of fifty gets its turn", async () => {
    let inside = 0;
    let most = 0;
    const turn = async (): Promise<void> => {
      const lock = await acquireLock(folder.at("x.lock"));
      most = Math.max(most, ++inside);
      await readlink(folder.at("x.lock"));
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
    await expect(readlink(folder.at("x.lock"))).rejects.toMatchObject({ code: "ENOENT" });
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
    leaveLock(folder.at("x.lock"), await deadIdentity(), TOKEN);
    const lock = await acquireLock(folder.at("x.lock"), { waitMs: 0 });
    expect(lock.abandoned).toEqual([TOKEN]);
    await lock.release();
  });

  test("of fifty that find a dead holder at once one takes over, and the others queue behind it", async () => {
    leaveLock(folder.at("x.lock"), await deadIdentity(), TOKEN);
    let inside = 0;
    let most = 0;
    const abandoned: string[] = [];
    const turn = async (): Promise<void> => {
      const lock = await acquireLock(folder.at("x.lock"));
      most = Math.max(most, ++inside);
      abandoned.push(...lock.abandoned);
      await readlink(folder.at("x.lock"));
      inside--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 50 }, turn));
    expect({ most, abandoned }).toEqual({ most: 1, abandoned: [TOKEN] });
  });

  test("one that died while it took over from a dead one is replaced as well", async () => {
    const dead = await deadIdentity();
    leaveLock(folder.at("x.lock"), dead, TOKEN);
    leaveLock(folder.at(`x.lock-${TOKEN}`), dead, TOKEN.replaceAll("0", "f"));
    const lock = await acquireLock(folder.at("x.lock"), { waitMs: 0 });
    expect(lock.abandoned).toEqual([TOKEN]);
    await lock.release();
  });

  test("a holder in another container cannot be judged, and is waited for", async () => {
    const elsewhere = { ...ownIdentity(), namespace: "pid:[1]", pid: 999_999 };
    leaveLock(folder.at("x.lock"), elsewhere, TOKEN);
    await expect(acquireLock(folder.at("x.lock"), { waitMs: 0 })).rejects.toMatchObject({
      message: expect.stringContaining("process 999999") as string,
    });
    await rm(folder.at("x.lock"));
  });

  describe("that may be taken from a holder that cannot be judged after a while", () => {
    const elsewhere = { ...ownIdentity(), namespace: "pid:[1]", pid: 999_999 };
    const options = { waitMs: 0, unjudgedStaleMs: 60_000 };
    const leftBehind = async (ageMs: number): Promise<void> => {
      leaveLock(folder.at("x.lock"), elsewhere, TOKEN);
      const { mtimeMs } = await lstat(folder.at("x.lock"));
      await lutimes(folder.at("x.lock"), new Date(mtimeMs), new Date(mtimeMs - ageMs));
    };

    test("is waited for before that, and nothing is left beside it", async () => {
      await leftBehind(50_000);
      await expect(acquireLock(folder.at("x.lock"), options)).rejects.toMatchObject({ code: "REGISTRY_IO" });
      expect(await readdir(folder.at())).toEqual(["x.lock"]);
      expect(await readlink(folder.at("x.lock"))).toContain(TOKEN);
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
        await readlink(folder.at("x.lock"));
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
      leaveLock(guard, elsewhere, TOKEN.replaceAll("0", "f"));
      await lutimes(guard, new Date(0), new Date(0));
      const lock = await acquireLock(folder.at("x.lock"), options);
      await lock.release();
      expect(await readdir(folder.at())).toEqual([]);
    });

    test("stays with a holder here that is alive, however old its file is", async () => {
      const held = await acquireLock(folder.at("x.lock"));
      await lutimes(folder.at("x.lock"), new Date(0), new Date(0));
      await expect(acquireLock(folder.at("x.lock"), options)).rejects.toMatchObject({ code: "REGISTRY_IO" });
      await held.release();
    });
  });

  const leaveFile = async (path: string): Promise<void> => writeFile(path, "5,host,boot,ns,,,0123456789abcdef");
  test.each<[string, (path: string) => Promise<void>]>([
    ["an older version's file", leaveFile],
    ["a link that leads nowhere", async (path) => symlink(folder.at("nowhere"), path)],
    ["a link that leads somewhere", async (path) => symlink(folder.at(), path)],
    ["a link with a token that is a path", async (path) => symlink("1,h,b,n,,,../../../x", path)],
  ])("%s in its place is nobody's after two seconds, not before", async (_, leave) => {
    await leave(folder.at("x.lock"));
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

  test("a folder that does not exist is an error that names the lock", async () => {
    await expect(acquireLock(folder.at("none", "x.lock"))).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining("x.lock") as string,
    });
  });

  test("a folder in its place is an error, and one found at release too", async () => {
    await mkdir(folder.at("x.lock"));
    await expect(acquireLock(folder.at("x.lock"))).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining("is a folder: move it away") as string,
    });
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
    expect(await readlink(folder.at("x.lock"))).toContain(second.token);
    await second.release();
  });
});
