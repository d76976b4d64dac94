import { execPath, pid } from "node:process";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Child, describeExit, type ChildOptions } from "../child.js";
import { groupMembers, isGroupGone, signalGroup } from "../process-group.js";
import { expectNoProcessLeft, MARK, markedProcesses, until, withFolder } from "./support.js";

interface Started {
  readonly child: Child;
  readonly lines: string[];
  readonly ends: string[];
  readonly logger: RecordingLogger;
  readonly sounds: () => number;
}

const children: Child[] = [];

async function start(command: string, args: readonly string[], over: Partial<ChildOptions> = {}): Promise<Started> {
  const lines: string[] = [];
  const ends: string[] = [];
  let sounds = 0;
  const logger = new RecordingLogger();
  const child = await Child.start({
    ...{ connectorId: "demo", command, args, hostEnv: process.env, timers: systemTimers, logger },
    ...{ graceMs: 100, maxLineBytes: 1_000_000, maxQueuedBytes: 1_000_000 },
    onLine: (line) => lines.push(line.toString()),
    onFirstSound: () => {
      sounds += 1;
    },
    onEnd: (reason, detail) => ends.push(detail === undefined ? reason : `${reason} | ${detail}`),
    ...over,
    env: { CORTEX_TEST_MARK: MARK, ...over.env },
  });
  children.push(child);
  return { child, lines, ends, logger, sounds: () => sounds };
}

const node = (script: string, ...args: string[]): Promise<Started> => start(execPath, ["-e", script, ...args]);
const STUBBORN = "process.on('SIGTERM',()=>{});setInterval(()=>{},1000);";

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(true)));
  await expectNoProcessLeft();
});

describe("starting a child", () => {
  test("hands arguments over as they are, never to a shell (reliability.md, threat 22)", async () => {
    const nasty = ["$(touch /tmp/owned)", "a b", "'; exit 1; '", "`id`", "*", "", "\n", "--", "é"];
    const { lines } = await node("console.log(JSON.stringify(process.argv.slice(1)))", "--", ...nasty);
    await until(() => lines.length > 0);
    expect(JSON.parse(lines[0] ?? "")).toEqual(nasty);
  });

  test("never takes a command for a shell builtin", async () => {
    const starting = start("eval", ["echo owned"]);
    await expect(starting).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("not found on PATH"),
    });
  });

  test("gives it the minimal environment and the entry's variables, and no descriptor but the three standard ones", async () => {
    vi.stubEnv("GATEWAY_CANARY", "canary");
    const { lines } = await start(
      execPath,
      ["-e", "console.log(process.env.GATEWAY_CANARY, process.env.OWN, process.cwd())"],
      {
        env: { OWN: "mine" },
        cwd: "/",
        hostEnv: process.env,
      },
    );
    await until(() => lines.length > 0);
    expect(lines).toEqual(["undefined mine /"]);
    vi.unstubAllEnvs();
    const listing = await start("/bin/sh", [
      "-c",
      'for f in /proc/$$/fd/*; do echo "${f##*/} $(readlink $f)"; done; echo end',
    ]);
    await until(() => listing.lines.includes("end"));
    const sockets = listing.lines.filter((line) => line.includes("socket:")).map((line) => line.split(" ")[0]);
    expect(sockets).toEqual(["0", "1", "2"]);
  });

  test("says why it cannot be started, without its arguments or variables", async () => {
    for (const args of [
      ["-e", "\0s3cret"],
      ["x".repeat(200_000), "s3cret"],
    ]) {
      const error: unknown = await start(execPath, args).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "UPSTREAM_UNAVAILABLE",
        message: expect.stringMatching(/could not be started: (an arg|spawn E2BIG)/),
      });
      expect(JSON.stringify(error) + String(error)).not.toContain("s3cret");
    }
  });

  test("spawns nothing when the command or its folder is missing", async () => {
    await expect(start("no-such-command", [])).rejects.toThrow(/"no-such-command" was not found on PATH/);
    await expect(start(execPath, [], { cwd: "/no/such/folder" })).rejects.toThrow(/working folder/);
    expect(await markedProcesses()).toEqual([]);
  });
});

describe("what a child says", () => {
  test("is heard line by line, the first sound once, and what it says last before it exits too", async () => {
    const { lines, ends, sounds } = await node("process.stdout.write('a\\nb\\n'); process.stdout.write('last')");
    await until(() => ends.length > 0);
    expect(lines).toEqual(["a", "b", "last"]);
    expect(sounds()).toBeGreaterThan(0);
  });

  test("a flood on stderr is drained, bounded and logged without secrets, and stdout goes on (10 MB)", async () => {
    const script =
      "const l='x'.repeat(99)+'\\n';for(let i=0;i<100000;i++)process.stderr.write(l);process.stderr.write('key s3cret\\n');console.log('done')";
    const { child, lines, logger } = await start(execPath, ["-e", script], { env: { API_KEY: "s3cret" } });
    await until(() => lines.length > 0 && child.lastLine !== "" && !child.lastLine.startsWith("x"));
    expect(lines).toEqual(["done"]);
    expect(child.lastLine).toBe("key [redacted]");
    expect(logger.messages("debug").length).toBe(100_001);
    expect(JSON.stringify(logger.lines.at(-1))).not.toContain("s3cret");
  });

  test.each([
    ["process.exit(0)", "its process exited with code 0"],
    [
      "console.error('no config');process.exit(3)",
      'its process exited with code 3 | its last line on stderr: "no config"',
    ],
    ["process.kill(process.pid,'SIGSEGV')", "its process was killed by SIGSEGV"],
    ["process.kill(process.pid,'SIGKILL')", "its process was killed by SIGKILL"],
  ])("how it ended is told: %s", async (script, reason) => {
    const { ends } = await node(script);
    await until(() => ends.length > 0);
    expect(ends).toEqual([reason]);
  });

  test("its end is told although something that left its process group holds its output open", async () => {
    const { ends } = await start("/bin/sh", ["-c", "setsid sleep 2 & sleep 0.1; exit 4"]);
    await until(() => ends.length > 0);
    expect(ends).toEqual(["its process exited with code 4"]);
  });

  test("an exit by a signal of the shell itself has a name as well", () => {
    expect(describeExit(null, "SIGKILL")).toBe("was killed by SIGKILL");
    expect(describeExit(143, null)).toBe("was killed by SIGTERM");
    expect(describeExit(255, null)).toBe("exited with code 255");
    expect(describeExit(null, null)).toBe("exited with code 0");
  });
});

describe("stopping a child", () => {
  test("closes its stdin and lets it end by itself", async () => {
    const { child, lines, ends } = await start(
      execPath,
      ["-e", "process.stdin.on('end',()=>console.log('bye')).resume();console.log('up')"],
      {
        graceMs: 10_000,
      },
    );
    await until(() => lines.includes("up"));
    await child.stop();
    expect(lines).toEqual(["up", "bye"]);
    expect(ends).toEqual([]);
    expect(await isGroupGone(child.group)).toBe(true);
  });

  test("uses SIGTERM on one that ignores end of file", async () => {
    const { child, lines } = await node(
      "setInterval(()=>{},1000);process.on('SIGTERM',()=>{console.log('term');process.exit(0)});console.log('up')",
    );
    await until(() => lines.includes("up"));
    await child.stop();
    expect(lines).toEqual(["up", "term"]);
  });

  test("kills one that ignores end of file and SIGTERM, twice called or hurried", async () => {
    const { child, lines } = await node(`${STUBBORN}console.log('up')`);
    await until(() => lines.includes("up"));
    await Promise.all([child.stop(), child.stop()]);
    expect(await groupMembers(child.group)).toEqual([]);
    const hurried = await start(execPath, ["-e", `${STUBBORN}console.log('up')`], { graceMs: 1_000_000 });
    await until(() => hurried.lines.includes("up"));
    const gentle = hurried.child.stop();
    await hurried.child.stop(true);
    await gentle;
    expect(await groupMembers(hurried.child.group)).toEqual([]);
  });

  test("takes the whole tree with it: a shell that starts node that starts node (npx-like)", async () => {
    await withFolder(async (folder) => {
      const inner = path.join(folder, "inner.cjs");
      await writeFile(inner, `${STUBBORN}process.stdout.write('inner '+process.pid+'\\n')`);
      const outer = `${STUBBORN}require('child_process').spawn(process.execPath,[${JSON.stringify(inner)}],{stdio:'inherit'})`;
      const { child, lines } = await start("sh", ["-c", `"$0" -e "$1"; true`, execPath, outer]);
      await until(() => lines.length > 0);
      // The lifeline's shell, its watcher, the wrapper and two servers.
      expect((await groupMembers(child.group)).length).toBe(5);
      await child.stop();
      expect(await groupMembers(child.group)).toEqual([]);
    });
  });

  test("takes what a server left behind when it exited by itself", async () => {
    const { child, ends, lines } = await node(
      `const c=require('child_process').spawn(process.execPath,['-e',${JSON.stringify(STUBBORN)}],{stdio:'ignore'});console.log(c.pid);c.unref();setTimeout(()=>process.exit(0),100)`,
    );
    await until(() => lines.length > 0 && ends.length > 0);
    await child.stop();
    expect(await groupMembers(child.group)).toEqual([]);
    expect(ends).toEqual(["its process exited with code 0"]);
  });

  test("a child that never reads gets what fits, then the rest is refused, and it is stopped all the same", async () => {
    const { child, lines } = await node(`${STUBBORN}console.log('up')`);
    await until(() => lines.includes("up"));
    const line = `${"x".repeat(100_000)}\n`;
    let taken = 0;
    while (child.write(line) !== undefined) taken += 1;
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(30);
    await child.stop();
    expect(await isGroupGone(child.group)).toBe(true);
  });

  test("50 starts and stops leave no process and no descriptor (R8)", async () => {
    const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const cycle = async (): Promise<void> => {
      const { child, lines } = await start("/bin/sh", ["-c", "echo up; cat >/dev/null"], { graceMs: 10_000 });
      await until(() => lines.length > 0);
      await child.stop();
      expect(await isGroupGone(child.group)).toBe(true);
    };
    await cycle();
    const before = await open();
    for (let round = 0; round < 50; round += 1) await cycle();
    expect(await open()).toBeLessThanOrEqual(before);
  });
});

describe("process groups", () => {
  test("a signal to a group that is gone does nothing", async () => {
    const { child } = await node("");
    await child.stop();
    signalGroup(child.group, "SIGKILL");
    expect(await isGroupGone(child.group)).toBe(true);
  });

  test("this process belongs to a group that is not gone", async () => {
    const { child, lines } = await node("console.log('up');process.stdin.resume()");
    await until(() => lines.length > 0);
    expect(await isGroupGone(child.group)).toBe(false);
    expect(await groupMembers(child.group)).not.toContain(pid);
  });
});
