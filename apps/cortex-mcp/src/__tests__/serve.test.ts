import { startFixtureHttp } from "@cortex-os/fixture-server";
import { spawnSync } from "node:child_process";
import { access, chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { statePaths } from "../state/state-paths.js";
import { fixture, serving, untilState } from "./serving.js";
import { createTestIo, temporaryFolder, type TestIo } from "./test-io.js";

const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;
const gone = async (file: string): Promise<void> => expect(access(file)).rejects.toThrow("ENOENT");

/** A socket file that nobody listens on any more, as a killed gateway leaves it. */
function leaveStaleSocket(file: string): void {
  const script = `require("net").createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("serve", () => {
  test("says where it is in one line, keeps its state private, and leaves nothing behind on SIGTERM", async () => {
    const io = await createTestIo();
    const paths = statePaths(io.env);
    const { url, stop } = await serving(io);
    expect(io.outLines).toEqual([`cortex-mcp is ready at ${url}`]);
    expect(JSON.parse(await readFile(paths.gatewayFile, "utf8"))).toEqual({
      pid: process.pid,
      url,
      version: expect.stringMatching(/^\d/),
      socket: paths.socket,
    });
    expect([await mode(paths.gatewayFile), await mode(paths.socket), await mode(paths.folder)]).toEqual([
      0o600, 0o600, 0o700,
    ]);
    expect((await fetch(new URL("/livez", url))).status).toBe(200);
    expect(await stop()).toBe(0);
    await Promise.all([gone(paths.gatewayFile), gone(paths.socket)]);
    await expect(fetch(new URL("/livez", url))).rejects.toThrow("fetch failed");
  });

  test("R16: every log line off a terminal is JSON with the brand; the level is configurable", async () => {
    const io = await createTestIo();
    const { stop } = await serving(io);
    await stop();
    const lines = io.errLines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ brand, pid }) => [brand, pid])).toEqual(lines.map(() => ["brAInwav", process.pid]));
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(["Gateway is ready", "Shutting down", "Gateway is closed"]),
    );
    const quiet = await createTestIo({ env: { CORTEX_MCP_LOG_LEVEL: "error" }, terminal: true });
    await (await serving(quiet, "--json")).stop();
    expect(quiet.errLines).toEqual([]);
    expect(JSON.parse(quiet.outLines[0] ?? "")).toMatchObject({
      pid: process.pid,
      url: expect.stringContaining("/mcp"),
    });
  });

  test("at a terminal the log is for people", async () => {
    const io = await createTestIo({ terminal: true });
    const { url, stop } = await serving(io);
    io.fatal(new Error("boom"));
    await stop();
    const log = io.errLines.join("\n");
    expect(log).toMatch(/^[\d:.]{12} INFO {2}Gateway is ready brand=brAInwav url=\S+ version=/m);
    expect(log).toContain(url);
    expect(log).toMatch(/ERROR A bug ended the gateway brand=brAInwav\nError: boom\n {4}at /);
  });

  test("a second one on the same home is refused, naming pid and URL, and harms nothing", async () => {
    const io = await createTestIo();
    const { url } = await serving(io);
    const folder = path.join(io.home, "mcp");
    const stopIt = `stop it with kill ${process.pid}, or set CORTEX_HOME to another folder`;
    expect(await io.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      out: "",
      err: `cortex-mcp: a gateway is running already for ${folder}: pid ${process.pid} at ${url}; ${stopIt}`,
    });
    expect(await io.run("status")).toMatchObject({ code: 0 });
  });

  test("status names what a server lists and is not offered, with the reason", async () => {
    const io = await createTestIo();
    const upstream = await startFixtureHttp({ era: "modern", invalidHeaders: true });
    onTestFinished(async () => upstream.close());
    await io.run("add", "odd", upstream.url);
    await serving(io);
    const line =
      'odd: not offered, it breaks the specification: invalid-header-number (its x-mcp-header of "a" is on a type that cannot be mirrored)';
    await vi.waitFor(async () => {
      expect((await io.run("status")).out.split("\n")).toContain(line);
    });
  });

  test("one that is still starting is refused too", async () => {
    const io = await createTestIo();
    await serving(io);
    const { gatewayFile, folder } = statePaths(io.env);
    await writeFile(gatewayFile, "damaged");
    expect(await io.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      err: `cortex-mcp: a gateway is starting already for ${folder}; wait for it`,
    });
    expect((await io.run("status")).out).toMatch(/at \(still starting\), pid \?/);
  });

  test("what a killed one left is ignored and replaced", async () => {
    const io = await createTestIo();
    const { socket, gatewayFile, folder } = statePaths(io.env);
    await mkdir(folder, { recursive: true });
    leaveStaleSocket(socket);
    await writeFile(gatewayFile, JSON.stringify({ pid: 1, url: "http://127.0.0.1:1/mcp", version: "0", socket }));
    await access(socket);
    expect(await io.run("status")).toMatchObject({
      code: 1,
      err: `cortex-mcp: no gateway is running for ${folder}; cortex-mcp serve starts one`,
    });
    const { url } = await serving(io);
    expect((await io.run("status")).out).toContain(`at ${url}, pid ${process.pid}`);
  });

  test("two that start at once: one serves, the other is refused", async () => {
    const io = await createTestIo();
    const { socket, folder } = statePaths(io.env);
    await mkdir(folder, { recursive: true });
    leaveStaleSocket(socket);
    const runs = [io.run("serve", "--port", "0"), io.run("serve", "--port", "0")];
    const first = await Promise.race(runs);
    expect(first).toMatchObject({ code: 1 });
    await vi.waitFor(() => {
      expect(io.outLines).toHaveLength(1);
    }, 20_000);
    io.signal("SIGINT");
    expect((await Promise.all(runs)).map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  test("a taken port is told in one line, and nothing stays open", async () => {
    const io = await createTestIo();
    const port = await takenPort();
    const ran = await io.run("serve", "--port", String(port));
    expect([ran.code, ran.out]).toEqual([1, ""]);
    expect(io.errLines.at(-1)).toBe(
      `cortex-mcp: Cannot listen on 127.0.0.1:${port}: it is taken; stop what uses it or choose another with --port`,
    );
    const { socket, gatewayFile } = statePaths(io.env);
    await Promise.all([gone(socket), gone(gatewayFile)]);
    expect(io.listening()).toBe(0);
  });

  test("a home with a long path gets its socket in the private runtime folder", async () => {
    const runtime = await temporaryFolder();
    const io = await inLongHome(runtime);
    const paths = statePaths(io.env);
    expect(paths.socket).toMatch(new RegExp(`^${runtime}/cortex-mcp/[0-9a-f]{16}\\.sock$`));
    const { url } = await serving(io);
    expect(await mode(path.dirname(paths.socket))).toBe(0o700);
    expect((await io.run("status")).out).toContain(url);
    // Another shell may have no XDG_RUNTIME_DIR: the record says where the socket is.
    const elsewhere = { ...io.env, XDG_RUNTIME_DIR: "" };
    expect(statePaths(elsewhere).socket).not.toBe(paths.socket);
  });

  test("a runtime folder that others can enter is refused", async () => {
    const runtime = await temporaryFolder();
    const io = await inLongHome(runtime);
    const folder = path.join(runtime, "cortex-mcp");
    await mkdir(folder);
    await chmod(folder, 0o755);
    expect(await io.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      err: `cortex-mcp: ${folder} must be a folder of yours that nobody else can enter; remove it, or set XDG_RUNTIME_DIR`,
    });
  });

  test("the configuration file is used", async () => {
    const io = await createTestIo();
    const file = path.join(io.cwd, "my.json");
    await writeFile(file, '{"names":{"separator":"."},"startup":{"graceMs":0}}');
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await serving(io, "--config", file, "--host", "::1");
    await untilState(io, "fix", "up");
    expect((await io.run("call", "fix.echo", '{"message":"hi"}')).out).toBe("hi");
  });
});

/** A home whose own socket path would be too long. */
async function inLongHome(runtime: string): Promise<TestIo> {
  const folder = await temporaryFolder();
  const home = path.join(folder, "a".repeat(90));
  return createTestIo({ env: { CORTEX_HOME: home, XDG_RUNTIME_DIR: runtime } });
}
