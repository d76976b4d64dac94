import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { FsStore } from "../fs-store.js";
import { verifyRegistry } from "../verify-registry.js";
import { namesIn, useTempFolder } from "./temp-folder.js";

const WRITER = fileURLToPath(new URL("writer-process.mjs", import.meta.url));
const KEPT = new Set(["servers.json", "servers.json.log", "servers.json.prev", "servers.json.log.1"]);
const folder = useTempFolder();
const running = new Set<ChildProcessByStdio<Writable, Readable, null>>();
const file = (): string => folder.at("mcp", "servers.json");

afterEach(() => {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  running.clear();
  if (left.length > 0) throw new Error(`the test left ${left.length} process(es) running`);
});

/** Starts a writer; its lines are what it has acknowledged. */
function writer(...args: string[]): {
  child: ChildProcessByStdio<Writable, Readable, null>;
  lines: AsyncIterable<string>;
  exit: Promise<unknown[]>;
} {
  const child = spawn(process.execPath, [WRITER, ...args], {
    env: { ...process.env, CORTEX_HOME: folder.at() },
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  const exit = once(child, "exit").finally(() => running.delete(child));
  return { child, lines: createInterface(child.stdout), exit };
}

describe("several processes on one registry (R12)", () => {
  test("4 processes of 250 upserts each at once: 1,000 of 1,000 are kept", { timeout: 120_000 }, async () => {
    const writers = ["a", "b", "c", "d"].map((prefix) => writer("upsert", prefix, "250"));
    const ends = await Promise.all(
      writers.map(async ({ child, exit }) => {
        child.stdout.resume();
        return exit;
      }),
    );
    expect(ends).toEqual(Array.from({ length: 4 }, () => [0, null]));
    const expected = ["a", "b", "c", "d"].flatMap((prefix) =>
      Array.from({ length: 250 }, (_, index) => `${prefix}${index}`),
    );
    expect((await namesIn(file())).toSorted()).toEqual(expected.toSorted());
    expect((await readdir(folder.at("mcp"))).filter((name) => !KEPT.has(name))).toEqual([]);
  });

  test("a lock whose holder was killed with SIGKILL is taken over at once", async () => {
    await mkdir(folder.at("mcp"));
    const { child, lines, exit } = writer("hold", `${file()}.lock`);
    for await (const line of lines) {
      expect(line).toBe("held");
      break;
    }
    const impatient = new FsStore({ env: { CORTEX_HOME: folder.at() }, lock: { waitMs: 0 } });
    await expect(impatient.upsert({ name: "early", command: "run" })).rejects.toMatchObject({
      message: expect.stringContaining(`process ${child.pid}`) as string,
    });
    child.kill("SIGKILL");
    await exit;
    await impatient.upsert({ name: "after", command: "run" });
    await impatient.closeRegistryCache();
    expect(await namesIn(file())).toEqual(["after"]);
  });

  test(
    "a writer killed with SIGKILL at any moment: what it acknowledged is there, and the next goes on",
    { timeout: 120_000 },
    async () => {
      const acknowledged: string[] = [];
      for (let round = 0; round < 10; round++) {
        const { child, lines, exit } = writer("upsert", `r${round}-`, "1000");
        let count = 0;
        for await (const line of lines) {
          acknowledged.push(line);
          if (++count === 1 + round * 3) child.kill("SIGKILL");
        }
        expect(await exit).toEqual([null, "SIGKILL"]);
        const state = verifyRegistry(file());
        expect(state.servers.map(({ name }) => name)).toEqual(expect.arrayContaining(acknowledged));
        expect(state.findings.filter(({ level }) => level !== "info")).toEqual([]);
      }
      const store = new FsStore({ env: { CORTEX_HOME: folder.at() } });
      await store.upsert({ name: "last", command: "run" });
      await store.closeRegistryCache();
      expect(acknowledged.length).toBeGreaterThanOrEqual(145);
      expect(await namesIn(file())).toEqual(expect.arrayContaining([...acknowledged, "last"]));
      const left = (await readdir(folder.at("mcp"))).filter((name) => !KEPT.has(name));
      expect(left.filter((name) => !name.includes(".torn-"))).toEqual([]);
    },
  );
});
