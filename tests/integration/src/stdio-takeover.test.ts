import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stdioMainPath } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { processesMarked } from "./support/marked-processes.js";
import { programHome, type ProgramHome } from "./support/program-home.js";
import { STDIO_CLIENTS, type StdioClient } from "./support/stdio-clients.js";

/** How often a gateway is killed. */
const ROUNDS = Number(process.env["CORTEX_TAKEOVER_ROUNDS"] ?? 2);
const INITIALIZE = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
const CONNECTORS = ["one", "two", "three"];
/** A server, its lifeline and the lifeline's watcher, for each connector. */
const CHILDREN = 3 * CONNECTORS.length;

/** @param flags of the servers: `--ignore-eof` for those that only the lifeline ends */
async function homeWithServers(...flags: readonly string[]): Promise<ProgramHome> {
  const home = await programHome();
  // Children of a process that its client killed are gone a moment later.
  onTestFinished(() => vi.waitFor(() => expect(processesMarked(home.mark)).toEqual([]), 20_000));
  await home.writeRegistry(
    CONNECTORS.map((name) => ({
      ...{ name, command: process.execPath, args: [stdioMainPath, "--name", name, ...flags] },
      env: Object.fromEntries([home.mark.split("=")]) as Record<string, string>,
    })),
  );
  return home;
}

/** Five clients of both SDKs, started at once. */
async function fiveClients(home: ProgramHome): Promise<StdioClient[]> {
  const kinds = [...Object.values(STDIO_CLIENTS), ...Object.values(STDIO_CLIENTS), STDIO_CLIENTS["v1 SDK"]];
  return Promise.all(kinds.map(async (start) => start(home)));
}

const gatewayPid = async (home: ProgramHome): Promise<number> => {
  const { pid } = JSON.parse(await readFile(join(home.folder, "mcp", "gateway.json"), "utf8")) as { pid: number };
  return pid;
};

const childrenOf = (home: ProgramHome, clients: readonly StdioClient[]): number[] =>
  processesMarked(home.mark).filter((pid) => clients.every((client) => client.pid !== pid));

const works = async (client: StdioClient): Promise<void> => {
  expect(await client.tools()).toEqual(expect.arrayContaining(CONNECTORS.map((name) => `${name}__echo`)));
  for (const name of CONNECTORS)
    expect(await client.call(`${name}__echo`, { message: name })).toMatchObject({ text: name, isError: false });
};

describe.runIf(process.platform === "linux")("five cortex-mcp stdio processes on one home", () => {
  test("R8: share one set of children; the one that is the gateway is killed again and again, and the others go on", async () => {
    const home = await homeWithServers("--ignore-eof");
    const clients = await fiveClients(home);
    await Promise.all(clients.map(works));
    let living = clients;
    const lines: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await vi.waitFor(() => expect(childrenOf(home, clients)).toHaveLength(CHILDREN), 20_000);
      const before = childrenOf(home, clients);
      const pid = await gatewayPid(home);
      expect(living.map((client) => client.pid)).toContain(pid);
      living = living.filter((client) => client.pid !== pid);
      process.kill(pid, "SIGKILL");
      const killedAt = performance.now();
      const times = await Promise.all(
        living.map(async (client) => {
          const names = await client.tools();
          const listedAt = performance.now();
          expect(names).toContain("one__echo");
          expect(await client.call("one__echo", { message: "again" })).toMatchObject({ text: "again" });
          return [listedAt - killedAt, performance.now() - killedAt];
        }),
      );
      const text = times.map((pair) => pair.map((ms) => Math.round(ms)).join("/")).join(" ");
      lines.push(`${living.length} went on; list/call after (ms): ${text}`);
      await vi.waitFor(
        () => expect(before.filter((old) => processesMarked(home.mark).includes(old))).toEqual([]),
        10_000,
      );
      await Promise.all(living.map(works));
    }
    process.stdout.write(`${lines.join("\n")}\n`);
    await Promise.all(clients.map((client) => client.close()));
    await vi.waitFor(() => expect(processesMarked(home.mark)).toEqual([]), 20_000);
  }, 120_000);

  test("a call that was under way when the gateway was killed fails at once and is not made again", async () => {
    const home = await homeWithServers();
    const clients = await fiveClients(home);
    const pid = await gatewayPid(home);
    const living = clients.filter((client) => client.pid !== pid);
    const running = living.map(async (client) => {
      let begun = (): void => {};
      const progress = new Promise<void>((resolve) => (begun = resolve));
      const call = client.call("two__slow", { ms: 60_000, steps: 600 }, { onProgress: () => begun() });
      const outcome = expect(call).rejects.toThrow(
        "the gateway went away; whether the call was carried out is not known",
      );
      await progress;
      return { outcome };
    });
    const calls = await Promise.all(running);
    process.kill(pid, "SIGKILL");
    await Promise.all(calls.map(async ({ outcome }) => outcome));
    await Promise.all(living.map(works));
  }, 60_000);

  test("clients hear after a takeover that their lists may have changed", async () => {
    const home = await homeWithServers();
    const clients = await fiveClients(home);
    await Promise.all(clients.map(works));
    const pid = await gatewayPid(home);
    const living = clients.filter((client) => client.pid !== pid);
    const told = living.map(() => vi.fn<() => void>());
    await Promise.all(living.map(async (client, at) => client.onToolsChanged(() => told[at]?.())));
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => {
      for (const heard of told) expect(heard).toHaveBeenCalled();
    }, 10_000);
  }, 60_000);

  test("the gateway whose own client goes keeps serving the others, who notice nothing", async () => {
    const home = await homeWithServers();
    const clients = await fiveClients(home);
    await Promise.all(clients.map(works));
    const pid = await gatewayPid(home);
    const first = clients.find((client) => client.pid === pid);
    const others = clients.filter((client) => client !== first);
    // It closes standard input, waits 2 s, sends SIGTERM, waits 2 s, kills.
    const closing = first?.close();
    const closed = new AbortController();
    void closing?.then(() => closed.abort());
    let rounds = 0;
    while (!closed.signal.aborted) {
      await Promise.all(others.map(works));
      rounds += 1;
    }
    await Promise.all(others.map(works));
    process.stdout.write(`${rounds} rounds of lists and calls while the gateway's client left, none failed\n`);
    expect(others.map((client) => client.pid)).toContain(await gatewayPid(home));
  }, 60_000);

  test("a gateway with a URL carries them, is stopped in order, and comes back; without it they carry each other", async () => {
    const home = await homeWithServers();
    const served = await home.serving(["serve", "--port", "0"]);
    const clients = await fiveClients(home);
    await Promise.all(clients.map(works));
    expect(await gatewayPid(home)).toBe(served.pid);
    const stopped = served.stop();
    const again = await home.serving(["serve", "--port", "0"]);
    expect(await stopped).toBe(0);
    await Promise.all(clients.map(works));
    expect(await gatewayPid(home)).toBe(again.pid);
    expect(await again.stop()).toBe(0);
    await Promise.all(clients.map(works));
    expect(clients.map((client) => client.pid)).toContain(await gatewayPid(home));
    expect((await home.run("status")).out).toContain("(stdio only)");
  }, 60_000);

  test("R14: a gateway with a URL that was killed comes back on its port, although a desktop client's relay has become the gateway", async () => {
    const home = await homeWithServers("--ignore-eof");
    const first = await home.serving(["serve", "--port", "0"]);
    const clients = [await STDIO_CLIENTS["v1 SDK"](home), await STDIO_CLIENTS["v2 SDK"](home)];
    await Promise.all(clients.map(works));
    await first.stop("SIGKILL");
    await Promise.all(clients.map(works));
    expect(clients.map((client) => client.pid)).toContain(await gatewayPid(home));
    const slow = clients.map(async (client) => client.call("one__slow", { ms: 1_000 }));
    const again = await home.serving(["serve", "--port", new URL(first.url).port]);
    expect(again.url).toBe(first.url);
    expect(await gatewayPid(home)).toBe(again.pid);
    await Promise.all([...slow, ...clients.map(works)]);
    const answer = await fetch(again.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('"protocolVersion"');
    const left = (): number[] => childrenOf(home, clients).filter((pid) => pid !== again.pid);
    await vi.waitFor(() => expect(left()).toHaveLength(CHILDREN), 20_000);
    await Promise.all(clients.map((client) => client.close()));
    expect(await again.stop()).toBe(0);
    await vi.waitFor(() => expect(processesMarked(home.mark)).toEqual([]), 20_000);
  }, 60_000);
});
