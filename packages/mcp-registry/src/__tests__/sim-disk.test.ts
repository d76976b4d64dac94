import { describe, expect, test } from "vitest";
import { ProcessKilled, SimDisk, type SimFault, type SimFate, type SimMount } from "../testing/index.js";

const encode = (content: string): Uint8Array => new TextEncoder().encode(content);

function create(fs: SimMount, path: string, content: string): number {
  const fd = fs.open(path, "create");
  fs.write(fd, encode(content));
  return fd;
}

async function syncFolder(fs: SimMount, path: string): Promise<void> {
  const fd = fs.open(path, "folder");
  await fs.sync(fd);
  fs.close(fd);
}

/** What is found after the power went now. */
function found(disk: SimDisk, fate: SimFate | ((index: number) => SimFate)): Record<string, string> {
  const image = disk.image(disk.tick, (_, index) => (typeof fate === "function" ? fate(index) : fate));
  return Object.fromEntries([...image.files("/")].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));
}

/** A mount on which the call of that number goes wrong. */
function faulty(disk: SimDisk, at: number, fault: SimFault): SimMount {
  return disk.mount({ onCall: ({ index }) => (index === at ? fault : undefined) });
}

describe("a power cut", () => {
  test("takes what was not synced: bytes with their file, names with their folder", async () => {
    const disk = new SimDisk();
    const fs = disk.mount();
    const fd = create(fs, "/a", "one");
    expect(found(disk, "lost")).toEqual({});
    await syncFolder(fs, "/");
    expect(found(disk, "lost")).toEqual({ "/a": "" });
    await fs.datasync(fd);
    expect(found(disk, "lost")).toEqual({ "/a": "one" });
    fs.truncate(fd, 1);
    fs.rename("/a", "/b");
    expect(found(disk, "lost")).toEqual({ "/a": "one" });
    expect(found(disk, "kept")).toEqual({ "/b": "o" });
    expect(disk.pending().map(({ change }) => change.kind)).toEqual(["truncate", "entries"]);
  });

  test("may keep a later change and lose an earlier one", () => {
    const disk = SimDisk.of({ "/a": "one" });
    const fs = disk.mount();
    const fd = create(fs, "/t", "two");
    fs.rename("/t", "/a");
    fs.write(fd, encode("!"));
    expect(found(disk, (index) => (index === 2 ? "kept" : "lost"))).toEqual({ "/a": "" });
    expect(found(disk, (index) => (index === 3 ? "kept" : "lost"))).toEqual({ "/a": "one" });
    expect(found(disk, (index) => (index === 1 || index === 2 ? "kept" : "lost"))).toEqual({ "/a": "two" });
    expect(found(disk, (index) => (index === 1 ? "lost" : "kept"))).toEqual({ "/a": "\0\0\0!" });
  });

  test("may tear a write, at a byte or by sectors that hold zeros", () => {
    const disk = SimDisk.of({ "/a": "x".repeat(510) });
    const fs = disk.mount();
    fs.write(fs.open("/a", "append"), encode("y".repeat(514)));
    expect(found(disk, { cut: 1 })).toEqual({ "/a": `${"x".repeat(510)}y` });
    expect(found(disk, { zeroed: [0] })).toEqual({ "/a": `${"x".repeat(510)}\0\0${"y".repeat(512)}` });
    expect(found(disk, { zeroed: [1] })).toEqual({ "/a": `${"x".repeat(510)}yy${"\0".repeat(512)}` });
    expect(found(disk, { zeroed: [9] })).toEqual({ "/a": `${"x".repeat(510)}${"y".repeat(514)}` });
  });

  test("is not tied to the present: what was durable at a tick is asked of that tick", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = disk.mount();
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("1"));
    const before = disk.tick;
    await fs.datasync(fd);
    fs.write(fd, encode("2"));
    expect(disk.pending(before)).toHaveLength(1);
    expect([
      ...disk
        .image(before, () => "lost")
        .files("/")
        .values(),
    ]).toEqual([encode("")]);
    expect([
      ...disk
        .image(disk.tick, () => "lost")
        .files("/")
        .values(),
    ]).toEqual([encode("1")]);
  });

  test("can be followed by another", async () => {
    const disk = SimDisk.of({ "/a": "1" });
    const image = disk.image(disk.tick, () => "kept");
    const fs = image.mount();
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("2"));
    await fs.sync(fd);
    fs.write(fd, encode("3"));
    expect(found(image, "lost")).toEqual({ "/a": "12" });
    create(fs, "/b", "");
    expect(image.mount().stat("/b").identity).not.toBe(image.mount().stat("/a").identity);
  });

  test("a sync covers what was there when it was called, not what came while it ran", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = disk.mount();
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("1"));
    const syncing = fs.datasync(fd);
    fs.write(fd, encode("2"));
    await syncing;
    expect(found(disk, "lost")).toEqual({ "/a": "1" });
    await fs.datasync(fd);
    expect(found(disk, "lost")).toEqual({ "/a": "12" });
  });
});

describe("a fault", () => {
  test("is thrown before the call has done anything, or after", () => {
    const disk = new SimDisk();
    const before = faulty(disk, 1, { kind: "error", code: "ENOSPC" });
    expect(() => before.open("/a", "create")).toThrow(expect.objectContaining({ code: "ENOSPC" }));
    expect(disk.files("/").size).toBe(0);
    const after = faulty(disk, 1, { kind: "error", code: "EIO", after: true });
    expect(() => after.open("/a", "create")).toThrow(expect.objectContaining({ code: "EIO", path: "/a" }));
    expect(disk.files("/").size).toBe(1);
    expect(after.calls).toBe(1);
  });

  test("makes a write short", () => {
    const disk = new SimDisk();
    const fs = faulty(disk, 2, { kind: "short", bytes: 2 });
    const fd = fs.open("/a", "create");
    expect(fs.write(fd, encode("123"))).toBe(2);
    expect(fs.write(fd, encode("3"))).toBe(1);
    expect(disk.bytes("/a")).toEqual(encode("123"));
  });

  test("at a sync of a file loses its bytes for good, and the next sync says nothing of it", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = faulty(disk, 3, { kind: "error", code: "EIO" });
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("1"));
    await expect(fs.datasync(fd)).rejects.toMatchObject({ code: "EIO" });
    await fs.datasync(fd);
    expect(found(disk, "lost")).toEqual({ "/a": "" });
    expect(disk.bytes("/a")).toEqual(encode("1"));
  });

  test("at a sync is told once to each descriptor that was open, and to none that is opened later", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = faulty(disk, 3, { kind: "error", code: "EIO" });
    const [fd, other] = [fs.open("/a", "append"), fs.open("/a", "append")];
    await expect(fs.datasync(fd)).rejects.toMatchObject({ code: "EIO" });
    fs.write(fd, encode("1"));
    await fs.datasync(fs.open("/a", "append"));
    await expect(fs.datasync(other)).rejects.toMatchObject({ code: "EIO" });
    await fs.datasync(other);
    expect(found(disk, "lost")).toEqual({ "/a": "1" });
  });

  test("at a sync of a folder is made good by the next sync", async () => {
    const disk = new SimDisk();
    const fs = faulty(disk, 3, { kind: "error", code: "EIO" });
    fs.open("/a", "create");
    const fd = fs.open("/", "folder");
    await expect(fs.sync(fd)).rejects.toMatchObject({ code: "EIO" });
    expect(found(disk, "lost")).toEqual({});
    await fs.sync(fd);
    expect(found(disk, "lost")).toEqual({ "/a": "" });
  });

  test("at a close leaves nothing open", () => {
    const fs = faulty(new SimDisk(), 2, { kind: "error", code: "EIO" });
    const fd = fs.open("/a", "create");
    expect(() => {
      fs.close(fd);
    }).toThrow(expect.objectContaining({ code: "EIO" }));
    expect(fs.openPaths).toEqual([]);
  });

  test("after a sync: it is durable, and reported as failed", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = faulty(disk, 3, { kind: "error", code: "EIO", after: true });
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("1"));
    await expect(fs.datasync(fd)).rejects.toMatchObject({ code: "EIO" });
    expect(found(disk, "lost")).toEqual({ "/a": "1" });
  });
});

describe("a killed process", () => {
  test("makes no call any more; what it had done stays in the page cache", () => {
    const disk = new SimDisk();
    const fs = faulty(disk, 3, { kind: "kill", wrote: 1 });
    const fd = create(fs, "/a", "1");
    expect(() => fs.write(fd, encode("23"))).toThrow(ProcessKilled);
    expect(() => fs.list("/")).toThrow(ProcessKilled);
    expect(fs.killed).toBe(true);
    expect(disk.bytes("/a")).toEqual(encode("12"));
  });

  test.each([
    [{ kind: "kill" }, 0],
    [{ kind: "kill", after: true }, 1],
  ] satisfies [SimFault, number][])("%j at a call: it has done its work %i times", (fault, times) => {
    const disk = new SimDisk();
    const fs = faulty(disk, 1, fault);
    expect(() => fs.open("/a", "create")).toThrow(ProcessKilled);
    expect(disk.files("/").size).toBe(times);
  });

  test("does not end a sync; that of the next process covers it", async () => {
    const disk = SimDisk.of({ "/a": "" });
    const fs = disk.mount();
    const fd = fs.open("/a", "append");
    fs.write(fd, encode("1"));
    const syncing = fs.datasync(fd);
    fs.kill();
    await expect(syncing).rejects.toThrow(ProcessKilled);
    expect(found(disk, "lost")).toEqual({ "/a": "" });
    const next = disk.mount();
    await next.datasync(next.open("/a", "append"));
    expect(found(disk, "lost")).toEqual({ "/a": "1" });
  });

  test("may be killed by what another process does meanwhile", () => {
    const disk = new SimDisk();
    const fs = disk.mount({
      onCall: () => {
        fs.kill();
        return undefined;
      },
    });
    expect(() => fs.list("/")).toThrow(ProcessKilled);
  });
});

test("a disk is laid out in one go, and asked for what is on it", () => {
  const disk = SimDisk.of({ "/disk/a": "1", "/disk/mcp/b": encode("2") });
  disk.put("/disk/a", "3");
  const fs = disk.mount({ uid: 7 });
  fs.symlink("a", "/disk/l");
  expect([...disk.files("/disk")]).toEqual([
    ["/disk/a", encode("3")],
    ["/disk/mcp/b", encode("2")],
  ]);
  expect(disk.bytes("/disk/nothing")).toBeUndefined();
  expect(disk.bytes("/nothing/b")).toBeUndefined();
  expect(fs.stat("/").uid).toBe(7);
  const fd = fs.open("/disk/a", "read");
  expect(fs.openPaths).toEqual(["/disk/a"]);
  fs.close(fd);
  expect(fs.openPaths).toEqual([]);
});
