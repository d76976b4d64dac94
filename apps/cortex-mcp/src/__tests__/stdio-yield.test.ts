import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { systemTimers } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ControlClient } from "../control/control-client.js";
import { run } from "../run.js";
import { requireRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { fixture, servingHomeOf } from "./serving.js";
import { startStdio, type StdioRun } from "./stdio-run.js";
import { createTestIo, type TestIo } from "./test-io.js";

const text = (value: string): object => ({ result: { content: [{ type: "text", text: value }] } });
const echo = (message: string): object => ({ name: "fix__echo", arguments: { message } });

async function recordOf(io: TestIo): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(statePaths(io.env).gatewayFile, "utf8")) as Record<string, unknown>;
}

/** A home with one server and so many desktop clients: the first is the gateway, the others are relayed. */
async function desktop(count: number) {
  const home = await createTestIo();
  const server = await fixture();
  await home.run("add", "fix", server.url);
  const clients: StdioRun[] = [];
  for (let at = 0; at < count; at += 1) {
    const client = await startStdio(home);
    await client.initialize();
    clients.push(client);
  }
  return { home, server, clients };
}

const became = ({ io }: StdioRun): number => io.errLines.filter((line) => line.includes("Became the gateway")).length;

async function answersEcho(client: StdioRun, id: string): Promise<void> {
  client.request(id, "tools/call", echo(id));
  expect(await client.answer(id)).toMatchObject(text(id));
}

describe("R14: a gateway with a URL outranks one that cortex-mcp stdio hosts", () => {
  test("which makes room in order: calls under way are answered, its own client's too, and all clients go on with the new one", async () => {
    const { home, server, clients } = await desktop(3);
    for (const client of clients) client.request("slow", "tools/call", { name: "fix__slow", arguments: { ms: 500 } });
    await vi.waitFor(() => expect(server.calls.inFlight).toBe(3));
    const { url } = await servingHomeOf(home);
    expect(await recordOf(home)).toMatchObject({ url });
    for (const client of clients) expect(await client.answer("slow")).toMatchObject({ result: {} });
    await Promise.all(clients.map(async (client) => answersEcho(client, "after")));
    expect(clients.map(became)).toEqual([1, 0, 0]);
    expect(clients[0]?.io.errLines.filter((line) => line.includes("Makes room"))).toHaveLength(1);
    expect((await home.run("status")).out).toContain(`at ${url}`);
  });

  test("again and again: the process that made room becomes the gateway once more, and makes room once more", async () => {
    const { home, clients } = await desktop(1);
    const [client] = clients;
    if (client === undefined) throw new Error("no client");
    for (const round of ["one", "two"]) {
      const served = await servingHomeOf(home);
      await answersEcho(client, `${round} served`);
      await served.stop();
      await answersEcho(client, `${round} alone`);
    }
    expect(became(client)).toBe(3);
    client.end();
    expect(await client.ended).toMatchObject({ code: 0 });
  });

  test("also one whose own client is gone, and which then ends", async () => {
    const { home, clients } = await desktop(2);
    const [gateway, other] = clients;
    gateway?.end();
    await vi.waitFor(() => expect(gateway?.io.errLines.join("\n")).toContain("The client is gone"));
    const { url } = await servingHomeOf(home);
    expect(await gateway?.ended).toMatchObject({ code: 0 });
    if (other !== undefined) await answersEcho(other, "after");
    expect(await recordOf(home)).toMatchObject({ url });
  });

  test("of two with a URL that start at once one has it, and the other is refused", async () => {
    const { home, clients } = await desktop(2);
    const env = { CORTEX_HOME: home.home };
    const [one, other] = [await createTestIo({ env }), await createTestIo({ env })];
    const running = [one, other].map(async (io) => io.run("serve", "--port", "0"));
    const refused = await Promise.race(running);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/a gateway is running already .* at http:/) });
    await Promise.all(clients.map(async (client) => answersEcho(client, "after")));
    for (const io of [one, other]) io.signal("SIGTERM");
    expect(new Set((await Promise.all(running)).map(({ code }) => code))).toEqual(new Set([0, 1]));
  });

  test("but not one whose port is taken: nobody makes room for what cannot serve", async () => {
    const { home, clients } = await desktop(1);
    const taken = createNetServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    expect(await home.run("serve", "--port", String(port))).toMatchObject({
      code: 1,
      err: expect.stringContaining("it is taken"),
    });
    for (const client of clients) await answersEcho(client, "still there");
    expect(clients[0]?.io.errLines.join("\n")).not.toContain("Makes room");
  });

  test("nor when nobody waits for it any more: a gateway that was suspended reads late that it was asked", async () => {
    const { home, clients } = await desktop(1);
    const running = await requireRunningGateway(statePaths(home.env));
    const { timers, clock } = home.system;
    await new ControlClient(running, timers).yieldHome(clock.now() - 60_000);
    for (const client of clients) await answersEcho(client, "still there");
    expect(await recordOf(home)).not.toHaveProperty("stopping");
    expect(clients[0]?.io.errLines.join("\n")).not.toContain("Makes room");
  });

  test("one with a URL makes no room", async () => {
    const home = await createTestIo();
    const { url } = await servingHomeOf(home);
    expect(await home.run("serve", "--port", "0")).toMatchObject({
      code: 1,
      err: expect.stringContaining(`at ${url}`),
    });
  });
});

describe("a gateway of desktop clients that does not make room is named, with what to do", () => {
  async function stranger(listener: RequestListener): Promise<TestIo> {
    const home = await createTestIo();
    const { folder, socket, gatewayFile } = statePaths(home.env);
    await mkdir(folder, { recursive: true });
    const server = createServer(listener).listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      server.close().closeAllConnections();
    });
    await writeFile(gatewayFile, JSON.stringify({ pid: 4_000_000, version: "0.1.0", socket }));
    return home;
  }
  const advice =
    "quit those clients and start it before them, they will use it then, or set CORTEX_HOME to another folder";

  test("one of another version", async () => {
    const home = await stranger((_request, response) => response.writeHead(404).end());
    expect(await home.run("serve", "--port", "0")).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(
        new RegExp(
          `: pid 4000000, started by cortex-mcp stdio for desktop clients, with no URL, and it does not make room \\(the running gateway answered /api/v1/yield with HTTP 404 .*\\); ${advice}$`,
        ),
      ),
    });
  });

  test("one that does not answer", async () => {
    const home = await stranger(() => {});
    const hurried = { after: (ms: number, task: () => void) => systemTimers.after(ms / 100, task) };
    const io = await createTestIo({ env: { CORTEX_HOME: home.home } });
    expect(await run(["serve", "--port", "0"], { ...io, system: { ...io.system, timers: hurried } })).toBe(1);
    expect(io.errLines.join("\n")).toContain(
      "did not answer within 3 s; kill -CONT 4000000 wakes one that was suspended, kill -9 4000000 ends it",
    );
  });

  test("one that is gone, or makes no end of it, is not waited for without end", async () => {
    const home = await stranger((_request, response) => response.writeHead(202).end("{}"));
    const hurried = { after: (ms: number, task: () => void) => systemTimers.after(ms / 100, task) };
    const io = await createTestIo({ env: { CORTEX_HOME: home.home } });
    let elapsedMs = 0;
    const monotonic = { elapsedMs: () => (elapsedMs += 1_000) };
    expect(await run(["serve", "--port", "0"], { ...io, system: { ...io.system, timers: hurried, monotonic } })).toBe(
      1,
    );
    expect(io.errLines.join("\n")).toContain("is stopping, and does not come to an end; end it with kill -9 4000000");
  });
});
