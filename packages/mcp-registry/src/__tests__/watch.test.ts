import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { watchFile, type FileWatch, type FileWatchOptions } from "../watch.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const watches: FileWatch[] = [];
let changes: number;
let watchesBefore: number;

/** How many file system watches this process has open. */
async function openWatches(): Promise<number> {
  const descriptors = await readdir("/proc/self/fdinfo");
  const texts = await Promise.all(
    descriptors.map((name) => readFile(`/proc/self/fdinfo/${name}`, "utf8").catch(() => "")),
  );
  return texts
    .join("\n")
    .split("\n")
    .filter((line) => line.startsWith("inotify wd:")).length;
}

beforeEach(async () => {
  changes = 0;
  watchesBefore = await openWatches();
});

afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()));
  const left = (await openWatches()) - watchesBefore;
  if (left > 0) throw new Error(`the test left ${left} file system watch(es) open`);
});

async function watched(file: string, options: Partial<FileWatchOptions> = {}): Promise<FileWatch> {
  const watch = await watchFile({ path: file, onChange: () => void changes++, ...options });
  watches.push(watch);
  return watch;
}

/** Does something and waits until it was reported. */
async function expectReported(change: () => Promise<unknown>): Promise<void> {
  const before = changes;
  await change();
  await vi.waitFor(() => expect(changes).toBeGreaterThan(before), { timeout: 10_000, interval: 20 });
}

async function make(file: string, content = "x"): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

/** What may happen to a file, in this order; each step is reported before the next. */
async function expectLifeReported(file: string): Promise<void> {
  await expectReported(() => writeFile(file, "in place"));
  await expectReported(() => replace(file, "by rename"));
  await expectReported(() => replace(file, "by rename again"));
  await expectReported(() => writeFile(file, "in place after a rename"));
  await expectReported(() => unlink(file));
  await expectReported(() => writeFile(file, "made anew"));
}

describe("watchFile notices changes by whatever hand (R14)", () => {
  test("of a file that exists: in place, by rename, removed, made anew", async () => {
    await make(folder.at("mcp", "servers.json"));
    await watched(folder.at("mcp", "servers.json"));
    await expectLifeReported(folder.at("mcp", "servers.json"));
  });

  test("of a file that does not exist yet", async () => {
    await mkdir(folder.at("mcp"));
    await watched(folder.at("mcp", "servers.json"));
    await expectLifeReported(folder.at("mcp", "servers.json"));
  });

  test("of a file whose folders do not exist yet", async () => {
    const file = folder.at("a", "b", "c", "mcp", "servers.json");
    await watched(file);
    await expectReported(() => make(file));
    await expectLifeReported(file);
  });

  test("when its folder, the one above and the one above that are deleted and made again", async () => {
    const file = folder.at("top", "home", "mcp", "servers.json");
    await make(file);
    await watched(file);
    for (const gone of [path.dirname(file), folder.at("top", "home"), folder.at("top")]) {
      await expectReported(() => rm(gone, { recursive: true }));
      await expectReported(() => make(file));
      await expectReported(() => replace(file, "by rename"));
    }
  });

  test("at the end of a symbolic link, also when the link changes and when it becomes a file", async () => {
    const file = folder.at("home", "mcp", "servers.json");
    await make(folder.at("dots", "x", "one.json"));
    await make(folder.at("dots", "y", "two.json"));
    await mkdir(path.dirname(file), { recursive: true });
    await symlink("../../dots/x/one.json", file);
    await watched(file);
    await expectLifeReported(folder.at("dots", "x", "one.json"));
    await expectReported(async () => {
      await symlink("../../dots/y/two.json", `${file}.new`);
      await rename(`${file}.new`, file);
    });
    await expectLifeReported(folder.at("dots", "y", "two.json"));
    await expectReported(() => replace(file, "a file of its own"));
    await expectLifeReported(file);
    await expectReported(async () => {
      await symlink("../../dots/x/one.json", `${file}.new`);
      await rename(`${file}.new`, file);
    });
    await expectLifeReported(folder.at("dots", "x", "one.json"));
    await expectReported(() => unlink(file));
  });

  test("behind a linked folder", async () => {
    await make(folder.at("dots", "mcp", "servers.json"));
    await mkdir(folder.at("home"));
    await symlink("../dots/mcp", folder.at("home", "mcp"));
    await watched(folder.at("home", "mcp", "servers.json"));
    await expectLifeReported(folder.at("home", "mcp", "servers.json"));
  });
});

describe("watchFile", () => {
  test("reports changes that come together once, and not those of other files", async () => {
    const time = new ManualTime();
    const file = folder.at("mcp", "servers.json");
    await make(file);
    await watched(file, { timers: time });
    await make(folder.at("mcp", "other.json"));
    await replace(file, "1");
    await vi.waitFor(() => expect(time.delays).toEqual([50, 2_000]));
    await replace(file, "2");
    await writeFile(file, "3");
    await time.advance(50);
    await vi.waitFor(() => expect(changes).toBe(1));
  });

  test("is silent after close, also about a change that was noticed before; close is idempotent", async () => {
    const time = new ManualTime();
    const file = folder.at("mcp", "servers.json");
    await make(file);
    const watch = await watched(file, { timers: time });
    await replace(file, "1");
    await vi.waitFor(() => expect(time.pending).toBe(2));
    await watch.close();
    await watch.close();
    expect(time.pending).toBe(0);
    await replace(file, "2");
    await time.advance(1_000);
    expect(changes).toBe(0);
  });

  test("closed while a report is on its way, it does not report", async () => {
    const time = new ManualTime();
    const file = folder.at("mcp", "servers.json");
    await make(file);
    const watch = await watched(file, { timers: time });
    await replace(file, "1");
    await vi.waitFor(() => expect(time.pending).toBe(2));
    const advancing = time.advance(50);
    await watch.close();
    await advancing;
    expect(changes).toBe(0);
  });

  test("what the system does not tell is noticed by looking, every 2 s", async () => {
    const time = new ManualTime();
    const file = folder.at("home", "mcp", "servers.json");
    await make(folder.at("one", "s.json"), "x");
    await make(folder.at("two", "s.json"), "y");
    await mkdir(path.dirname(file), { recursive: true });
    await mkdir(folder.at("far", "away"), { recursive: true });
    // Nobody watches the middle of a chain of links.
    await symlink("../../one/s.json", folder.at("far", "away", "hop"));
    await symlink("../../far/away/hop", file);
    await watched(file, { timers: time });
    await symlink("../../two/s.json", folder.at("far", "away", "hop.new"));
    await rename(folder.at("far", "away", "hop.new"), folder.at("far", "away", "hop"));
    await time.advance(2_000);
    await vi.waitFor(() => expect(changes).toBe(1));
    await vi.waitFor(() => expect(time.delays).toEqual([2_000]));
    await time.advance(2_000);
    await vi.waitFor(() => expect(time.delays).toEqual([2_000]));
    expect(changes).toBe(1);
  });

  test("without a watch to be had it warns and goes on by looking", async () => {
    const file = folder.at("mcp", "servers.json");
    await make(file);
    const script = fileURLToPath(new URL("starved-watcher.mjs", import.meta.url));
    const child = spawn("sh", ["-c", 'ulimit -n 512; exec "$0" "$@"', process.execPath, script, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) lines.push(line);
    expect(lines).toEqual(["warned EMFILE", "changed"]);
  });

  test("a listener that throws is logged, and hears of the next change", async () => {
    const logger = new RecordingLogger();
    const file = folder.at("mcp", "servers.json");
    await make(file);
    const onChange = (): void => {
      changes++;
      throw new Error("listener");
    };
    await watched(file, { logger, onChange });
    await expectReported(() => writeFile(file, "1"));
    await expectReported(() => writeFile(file, "22"));
    expect(logger.messages("error")[0]).toBe("A listener to a file's changes failed");
  });
});
