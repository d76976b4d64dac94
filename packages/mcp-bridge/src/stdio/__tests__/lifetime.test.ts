import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  linkTo,
  MARK,
  markedProcesses,
  RecordingSink,
  SCRIPTED,
  toolCall,
  until,
  withFolder,
  type LinkUnderTest,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

async function opened(setup: Parameters<typeof linkTo>[0] = {}): Promise<LinkUnderTest> {
  const under = linkTo(setup);
  await under.open();
  return under;
}

describe("losing a stdio upstream (R8)", () => {
  test("fails every call in flight with exit code and last words, then tells its owner once", async () => {
    const under = await opened({ env: { API_KEY: "s3cret-key" } });
    const sinks = Array.from({ length: 20 }, () => new RecordingSink());
    for (const sink of sinks) under.link.send(toolCall("hang"), sink);
    await callTool(under, "exit", { code: 7, words: "cannot log in with s3cret-key" });
    await Promise.all(sinks.map(({ settled }) => settled));
    const message = 'Connector "demo": its process exited with code 7';
    const detail = 'its last line on stderr: "cannot log in with [redacted]"';
    for (const { failure } of sinks) expect(failure).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", message, detail });
    await until(() => under.lost.length > 0);
    expect(under.lost).toMatchObject([{ code: "UPSTREAM_UNAVAILABLE", message, detail }]);
    expect((await callTool(under, "echo")).failure).toMatchObject({ message });
    await expect(under.link.request("ping", {}, { timeoutMs: 1, maxBytes: 1 })).rejects.toMatchObject({ message });
    await under.link.close();
    expect(under.lost).toHaveLength(1);
  });

  test("an answer written just before the exit arrives", async () => {
    const under = await opened();
    expect((await callTool(under, "lastWord", { value: "bye" })).text).toBe("bye");
    await until(() => under.lost.length === 1);
  });

  test("a death by signal is named", async () => {
    const under = await opened();
    expect((await callTool(under, "crash", { signal: "SIGKILL" })).failure?.message).toContain("was killed by SIGKILL");
  });

  test("a message longer than the bound ends the link with UPSTREAM_LIMIT, at once", async () => {
    const under = await opened({ args: ["--ignore-eof"], options: { maxLineBytes: 100_000, graceMs: 1_000_000 } });
    expect((await callTool(under, "long", { bytes: 90_000 })).text).toHaveLength(90_000);
    const sink = await callTool(under, "long", { bytes: 100_000 });
    expect(sink.failure).toMatchObject({
      code: "UPSTREAM_LIMIT",
      message: expect.stringContaining("longer than 100000 bytes"),
    });
    expect(under.lost).toMatchObject([{ code: "UPSTREAM_LIMIT" }]);
    await expectNoProcessLeft();
  });

  test("isolated children go with the shared one, because the link does", async () => {
    const under = await opened({ isolation: "session" });
    const sink = new RecordingSink();
    under.link.send(toolCall("hang"), sink);
    await callTool(under, "echo", { value: "" });
    void under.link
      .request("tools/call", { name: "exit", arguments: { code: 1 } }, { timeoutMs: 10_000, maxBytes: 1_000 })
      .catch(() => {});
    expect((await sink.settled).failure?.message).toContain("exited with code 1");
    await expectNoProcessLeft();
  });
});

describe("closing a stdio link (R8)", () => {
  test("fails what is in flight, leaves no process, tells nobody, and may be done twice or before opening", async () => {
    const under = await opened({ isolation: "session", args: ["--ignore-eof"] });
    const sink = new RecordingSink();
    under.link.send(toolCall("hang"), sink);
    await callTool(under, "echo", { value: "" });
    await Promise.all([under.link.close(), under.link.close()]);
    expect(await markedProcesses()).toEqual([]);
    expect(sink.failure).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "demo": it is being closed',
    });
    expect((await callTool(under, "echo")).failure).toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(under.lost).toEqual([]);
    await linkTo().link.close();
  });

  test("draining lets calls in flight end by themselves and takes no new ones", async () => {
    const under = await opened();
    const sink = new RecordingSink();
    under.link.send(toolCall("echo", { value: "in time", delayMs: 100 }), sink);
    const closing = under.link.close({ drain: true });
    expect((await callTool(under, "echo")).failure).toMatchObject({ message: expect.stringContaining("being closed") });
    expect((await sink.settled).text).toBe("in time");
    await closing;
    expect(await markedProcesses()).toEqual([]);
  });

  test("draining with nothing in flight closes, and a close without it ends a drain", async () => {
    const idle = await opened();
    await idle.link.close({ drain: true });
    const busy = await opened();
    const sink = new RecordingSink();
    busy.link.send(toolCall("hang"), sink);
    const draining = busy.link.close({ drain: true });
    await busy.link.close();
    await draining;
    expect(sink.failure).toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });

  test("20 links opened and closed leave no process and no descriptor", async () => {
    const count = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const cycle = async (): Promise<void> => {
      const under = await opened();
      await callTool(under, "echo", { value: "x" });
      await under.link.close();
    };
    await cycle();
    const before = await count();
    for (let round = 0; round < 20; round += 1) await cycle();
    expect(await count()).toBeLessThanOrEqual(before);
    expect(await markedProcesses()).toEqual([]);
  });
});

describe("a gateway that is SIGKILLed", () => {
  const GATEWAY = fileURLToPath(new URL("servers/gateway.mjs", import.meta.url));

  test("takes every child with it: npx-like trees that ignore end of file and SIGTERM, 5 rounds", async () => {
    await withFolder(async (folder) => {
      const wrapper = path.join(folder, "wrapper.cjs");
      const inner = JSON.stringify([SCRIPTED, "--ignore-eof"]);
      await writeFile(
        wrapper,
        `process.on('SIGTERM',()=>{});require('child_process').spawn(process.execPath,${inner},{stdio:'inherit'})`,
      );
      const env = { CORTEX_TEST_MARK: MARK };
      const tree = { command: "sh", args: ["-c", '"$0" "$1"; true', process.execPath, wrapper], env };
      const single = { command: process.execPath, args: [SCRIPTED, "--ignore-eof"], env };
      for (let round = 0; round < 5; round += 1) {
        const gateway = spawn(process.execPath, [GATEWAY, JSON.stringify([tree, single])], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const [line] = (await once(createInterface({ input: gateway.stdout }), "line")) as [string];
        expect(line).toBe("ready");
        // Two lifeline shells with their watchers, and sh, node, node and node.
        expect((await markedProcesses()).length).toBe(8);
        gateway.kill("SIGKILL");
        await once(gateway, "exit");
        await expectNoProcessLeft();
      }
    });
  });
});

describe("the fixture server over stdio", () => {
  const FIXTURE = fileURLToPath(new URL("../../../../../examples/fixture-server/dist/stdio-main.js", import.meta.url));

  test.runIf(existsSync(FIXTURE)).each(["legacy", "modern", "both"])("is called in its era: %s", async (era) => {
    const under = await opened({ args: [FIXTURE, "--era", era, "--ignore-eof"] });
    const { tools } = await under.link.request("tools/list", {}, { timeoutMs: 10_000, maxBytes: 1_000_000 });
    expect(tools).toContainEqual(expect.objectContaining({ name: "echo" }));
    const sink = await callTool(under, "echo", { message: "hello" });
    expect(sink.text).toContain("hello");
  });
});
