import { spawn, type ChildProcess } from "node:child_process";
import { access, open, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { stdioMainPath } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { REGISTRY_FILES } from "./registry-files.js";
import { temporaryFolder } from "./test-io.js";

const program = (name: string): string => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly output: { out: string; err: string };
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs one of our programs as a process of its own, killed at the end of the test at the latest. */
function start(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
  stdout: number | "pipe" = "pipe",
): Running {
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith("CORTEX_") && key !== "NODE_OPTIONS");
  const child = spawn(process.execPath, [program(name), ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["pipe", stdout, "pipe"],
  });
  const output = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.err += text));
  const ended = new Promise<Awaited<Running["ended"]>>((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ code, signal });
    });
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, output, ended };
}

async function untilOut(running: Running, text: string): Promise<void> {
  await vi.waitFor(() => {
    expect(running.child.exitCode, running.output.err).toBeNull();
    expect(running.output.out).toContain(text);
  }, 60_000);
}

/** Processes whose command line or environment names `marker`. */
async function processesOf(marker: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const texts = await Promise.all(
        ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      return texts.join("").includes(marker) ? `${pid} ${texts[0]?.replaceAll("\0", " ")}` : "";
    }),
  );
  return found.filter((line) => line !== "");
}

const noneLeft = (marker: string): Promise<void> =>
  vi.waitFor(async () => {
    expect(await processesOf(marker)).toEqual([]);
  }, 20_000);

describe.runIf(process.platform === "linux")("our programs as processes", () => {
  test("R14: serve with a real stdio server: a call from a second process, SIGTERM, exit 0, no process left", async () => {
    const home = await temporaryFolder();
    const env = { CORTEX_HOME: home };
    const add = start(
      "main",
      ["add", "twin", "-e", "SECRET=s3cret", "--", process.execPath, stdioMainPath, "--name", home],
      env,
    );
    expect((await add.ended).code, add.output.err).toBe(0);
    const serve = start("main", ["serve", "--port", "0"], env);
    await untilOut(serve, "cortex-mcp is ready at http://127.0.0.1:");
    const call = start("main", ["call", "twin__echo", '{"message":"hello"}', "--json"], env);
    expect((await call.ended).code, call.output.err).toBe(0);
    expect(JSON.parse(call.output.out)).toMatchObject({ content: [{ type: "text", text: "hello" }] });
    const commandLines = await processesOf(home);
    expect(commandLines.join("\n")).toContain(stdioMainPath);
    expect(commandLines.join("\n")).not.toContain("s3cret");
    serve.child.kill("SIGTERM");
    expect(await serve.ended).toEqual({ code: 0, signal: null });
    await noneLeft(home);
    expect(serve.output.out.trim().split("\n")).toHaveLength(1);
    for (const line of serve.output.err.trim().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ brand: "brAInwav" });
    expect(serve.output.err).not.toContain("s3cret");
    for (const left of ["gateway.json", "gateway.sock"]) {
      await expect(access(path.join(home, "mcp", left))).rejects.toThrow("ENOENT");
    }
  });

  test("a killed serve leaves no child, and the next one takes its home over", async () => {
    const home = await temporaryFolder();
    const env = { CORTEX_HOME: home };
    await start("main", ["add", "twin", "--", process.execPath, stdioMainPath, "--name", home, "--ignore-eof"], env)
      .ended;
    const first = start("main", ["serve", "--port", "0"], env);
    await untilOut(first, "ready");
    await start("main", ["tools"], env).ended;
    first.child.kill("SIGKILL");
    await first.ended;
    await noneLeft(home);
    await access(path.join(home, "mcp/gateway.sock"));
    const second = start("main", ["serve", "--port", "0"], env);
    await untilOut(second, "ready");
    second.child.kill("SIGINT");
    expect(await second.ended).toEqual({ code: 0, signal: null });
    await noneLeft(home);
  });

  test("a bug that nobody caught is logged and exits with 70, and no child is left", async () => {
    const home = await temporaryFolder();
    const bomb = path.join(home, "bomb.mjs");
    await writeFile(bomb, 'process.on("SIGUSR2", () => { throw new TypeError("planted"); });');
    const env = { CORTEX_HOME: home, NODE_OPTIONS: `--import=${bomb}` };
    const serve = start("main", ["serve", "--port", "0"], env);
    await untilOut(serve, "ready");
    serve.child.kill("SIGUSR2");
    expect(await serve.ended).toEqual({ code: 70, signal: null });
    const last = JSON.parse(serve.output.err.trim().split("\n").at(-1) ?? "") as unknown;
    expect(last).toMatchObject({ level: "error", msg: "A bug ended the gateway", err: { message: "planted" } });
    await noneLeft(home);
  });

  test("a rejection that nobody caught in a command exits with 70 and shows its stack", async () => {
    const home = await temporaryFolder();
    const bomb = path.join(home, "bomb.mjs");
    // As soon as the program has set its trap.
    await writeFile(
      bomb,
      `process.on("newListener", (name) => {
        if (name === "unhandledRejection") setImmediate(() => void Promise.reject(new TypeError("planted")));
      });`,
    );
    const ran = start("main", ["call", "x", "-"], { CORTEX_HOME: home, NODE_OPTIONS: `--import=${bomb}` });
    expect(await ran.ended).toEqual({ code: 70, signal: null });
    expect(ran.output.err).toContain("this is a bug in cortex-mcp, please report it: TypeError: planted");
  });

  test("a reader that goes away ends a command quietly", async () => {
    const home = await temporaryFolder();
    const ran = start("main", ["config", "schema"], { CORTEX_HOME: home });
    ran.child.stdout?.destroy();
    expect(await ran.ended).toEqual({ code: 0, signal: null });
    expect(ran.output.err).toBe("");
  });

  test("output that cannot be written is told, with exit code 1", async () => {
    const home = await temporaryFolder();
    const full = await open("/dev/full", "w");
    onTestFinished(() => full.close());
    const ran = start("main", ["list", "--json"], { CORTEX_HOME: home }, full.fd);
    expect(await ran.ended).toEqual({ code: 1, signal: null });
    expect(ran.output.err).toBe(
      "cortex-mcp: cannot write to standard output: no space left on the device: free some and try again\n",
    );
  });

  test("status and list give up on a gateway that was suspended, and name it; list shows the registry all the same", async () => {
    const home = await temporaryFolder();
    const env = { CORTEX_HOME: home };
    await start("main", ["add", "dead", "http://127.0.0.1:1/mcp"], env).ended;
    const serve = start("main", ["serve", "--port", "0"], env);
    await untilOut(serve, "ready");
    serve.child.kill("SIGSTOP");
    const { pid } = serve.child;
    const problem = `the running gateway (pid ${pid}) did not answer within 3 s; kill -CONT ${pid} wakes one that was suspended, kill -9 ${pid} ends it\n`;
    const commands = [["status"], ["list"], ["list", "--json"], ["get", "dead"]];
    const [status, list, json, get] = commands.map((words) => start("main", words, env));
    expect([await status?.ended, status?.output]).toEqual([
      { code: 1, signal: null },
      { out: "", err: `cortex-mcp: ${problem}` },
    ]);
    expect([await list?.ended, list?.output]).toEqual([
      { code: 0, signal: null },
      { out: expect.stringMatching(/^dead {2}registry {2}http {7}unknown /m), err: `cortex-mcp: warning: ${problem}` },
    ]);
    expect((await json?.ended)?.code).toBe(0);
    expect(JSON.parse(json?.output.out ?? "")).toMatchObject([{ name: "dead", status: null }]);
    await get?.ended;
    expect(get?.output.out).toContain("  state: unknown\n");
    serve.child.kill("SIGCONT");
    serve.child.kill("SIGTERM");
    expect(await serve.ended).toEqual({ code: 0, signal: null });
  });

  test("the example: ready, a call, Ctrl-C twice as a wrapper delivers it, and nothing is left", async () => {
    const home = await temporaryFolder();
    const env = { CORTEX_HOME: home, CORTEX_MCP_PORT: "0" };
    const example = start("example-main", [], env);
    await untilOut(example, "Ctrl-C stops it.");
    const call = start("main", ["call", "fixture__echo", '{"message":"hello"}'], env);
    expect(await call.ended).toEqual({ code: 0, signal: null });
    expect(call.output.out).toBe("hello\n");
    expect((await processesOf(home)).length).toBeGreaterThan(3);
    example.child.kill("SIGINT");
    example.child.kill("SIGINT");
    expect(await example.ended).toEqual({ code: 0, signal: null });
    await noneLeft(home);
    expect((await readdir(path.join(home, "mcp"))).toSorted()).toEqual(["example", ...REGISTRY_FILES, "state"]);
  });
});
