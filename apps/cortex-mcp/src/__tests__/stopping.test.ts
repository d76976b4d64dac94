import { access, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { acquireLock } from "@cortex-os/mcp-registry";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { run } from "../run.js";
import type { HostedGateway } from "../serve/host-gateway.js";
import { orAborted } from "../serve/or-aborted.js";
import { startUnlessStopped } from "../serve/start-unless-stopped.js";
import { writeGatewayRecord } from "../state/gateway-file.js";
import { statePaths } from "../state/state-paths.js";
import { fixture, serving, untilState } from "./serving.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

describe("a gateway that is stopping", () => {
  test("keeps its home to the end: the next one waits for it, takes over, and its control socket stays", async () => {
    const io = await createTestIo();
    const next = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const client = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const server = await fixture();
    await io.run("add", "fix", server.url);
    const first = await serving(io);
    await untilState(io, "fix", "up");
    const calling = client.run("call", "fix__slow", '{"ms":1000,"steps":1}');
    await vi.waitFor(() => expect(server.calls.inFlight).toBe(1), 20_000);
    const stopped = first.stop();
    const { gatewayFile, socket } = statePaths(io.env);
    await vi.waitFor(async () => expect(await readFile(gatewayFile, "utf8")).toContain('"stopping": true'), 20_000);
    expect((await client.run("status")).code).toBe(0);
    const second = await serving(next);
    expect(await stopped).toBe(0);
    expect(await calling).toMatchObject({ code: 0 });
    expect(next.errLines.filter((line) => line.includes("Waiting for the gateway that is stopping"))).toHaveLength(1);
    await access(socket);
    expect((await client.run("status")).out).toContain(`at ${second.url}, pid ${process.pid}`);
  });

  test("that never comes to an end is named, with what to do", async () => {
    const io = await createTestIo();
    const paths = statePaths(io.env);
    await serving(io);
    await writeGatewayRecord(paths.gatewayFile, {
      ...{ pid: 4_000_000, url: "http://127.0.0.1:1/mcp", version: "0", socket: paths.socket },
      stopping: true,
    });
    const other = await createTestIo({ env: { CORTEX_HOME: io.home } });
    let elapsedMs = 0;
    const system = { ...other.system, monotonic: { elapsedMs: () => (elapsedMs += 6_000) } };
    expect(await run(["serve", "--port", "0"], { ...other, system })).toBe(1);
    expect(other.errLines.at(-1)).toBe(
      `cortex-mcp: the gateway of ${paths.folder} (pid 4000000) is stopping, and does not come to an end; end it with kill -9 4000000`,
    );
  });

  test("removes no socket and no record but its own", async () => {
    const io = await createTestIo();
    const { socket, gatewayFile } = statePaths(io.env);
    const { stop } = await serving(io);
    await rm(socket);
    const other = createServer().listen(socket);
    await new Promise((resolve) => other.once("listening", resolve));
    onTestFinished(() => void other.close());
    const record = JSON.stringify({ pid: 4_000_000, url: "http://127.0.0.1:1/mcp", version: "0", socket });
    await writeFile(gatewayFile, record);
    expect(await stop()).toBe(0);
    await access(socket);
    expect(await readFile(gatewayFile, "utf8")).toBe(record);
  });
});

describe("a gateway that cannot have the lock of its home at its end", () => {
  test("ends all the same, and the next one clears away what it left", async () => {
    const io = await createTestIo();
    const { folder, socket } = statePaths(io.env);
    const { stop } = await serving(io);
    const held = await acquireLock(`${folder}/gateway.lock`);
    expect(await stop()).toBe(0);
    expect(io.errLines.join("\n")).toContain("Could not clear away what tells of this gateway; the next one will");
    await access(socket);
    await held.release();
    const next = await serving(io);
    expect((await io.run("status")).out).toContain(next.url);
  });
});

describe("a signal during a start", () => {
  test("ends it while it waits for the lock of its home, with 0, and nothing is left", async () => {
    const io = await createTestIo();
    const { folder, socket } = statePaths(io.env);
    await io.run("add", "a", "http://127.0.0.1:1/mcp");
    const held = await acquireLock(`${folder}/gateway.lock`);
    const ended = io.run("serve", "--port", "0");
    await vi.waitFor(() => expect(io.listening()).toBeGreaterThan(0));
    io.signal("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, out: "" });
    expect(io.errLines.at(-1)).toContain("Stopped before it had started");
    await held.release();
    await expect(access(socket)).rejects.toThrow("ENOENT");
    expect(io.listening()).toBe(0);
  });

  test.runIf(process.platform === "linux")("a home where nothing can be made is an error and no hang", async () => {
    const io = await createTestIo({ env: { CORTEX_HOME: "/proc/cortex" } });
    expect(await io.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      err: expect.stringContaining("cannot create the folder /proc/cortex/mcp: "),
    });
    const long = await createTestIo({
      env: { CORTEX_HOME: `${await temporaryFolder()}/${"a".repeat(90)}`, XDG_RUNTIME_DIR: "/proc" },
    });
    expect(await long.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /cannot create the folder \/proc\/cortex-mcp: .*; set XDG_RUNTIME_DIR to a folder of yours, or unset it$/,
      ),
    });
  });

  const requested = Promise.resolve("SIGTERM" as const);
  const never = new Promise<HostedGateway>(() => {});

  test("that nothing can interrupt ends the process with 143 after the stop time", async () => {
    const time = new ManualTime();
    let code: HostedGateway | number | undefined;
    const ended = startUnlessStopped(() => never, { requested }, time).then((value) => (code = value));
    await time.advance(9_499);
    expect(code).toBeUndefined();
    await time.advance(1);
    await ended;
    expect([code, time.pending]).toEqual([143, 0]);
  });

  test("a gateway that came up all the same is stopped; a failure of its own is told", async () => {
    const time = new ManualTime();
    const stop = vi.fn<() => Promise<void>>(async () => {});
    const late = (): Promise<HostedGateway> =>
      new Promise((resolve) => {
        setImmediate(() => {
          resolve({ stop, url: "" } as Partial<HostedGateway> as HostedGateway);
        });
      });
    expect(await startUnlessStopped(late, { requested }, time)).toBe(0);
    expect(stop).toHaveBeenCalledOnce();
    const failing = async (signal: AbortSignal): Promise<HostedGateway> => {
      await orAborted(never, signal).catch(() => {});
      throw new Error("the port is taken");
    };
    await expect(startUnlessStopped(failing, { requested }, time)).rejects.toThrow("the port is taken");
    expect(time.pending).toBe(0);
  });

  test("what is called off before it is waited for is not waited for", async () => {
    await expect(orAborted(never, AbortSignal.abort(new Error("called off")))).rejects.toThrow("called off");
  });
});
