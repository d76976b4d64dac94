import { access, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createNetServer, type Socket } from "node:net";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { run } from "../run.js";
import { statePaths } from "../state/state-paths.js";
import { REGISTRY_FILES } from "./registry-files.js";
import { fixture, serving, servingHomeOf, stdioFixture, untilState } from "./serving.js";
import { startStdio } from "./stdio-run.js";
import { createTestIo, type TestIo } from "./test-io.js";

const text = (value: string): object => ({ result: { content: [{ type: "text", text: value }] } });
const echo = (message: string): object => ({ name: "fix__echo", arguments: { message } });

async function recordOf(io: TestIo): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(statePaths(io.env).gatewayFile, "utf8")) as Record<string, unknown>;
}

describe("cortex-mcp stdio with no gateway running", () => {
  test("R14: becomes it, without a URL: the command line finds it, and it ends with its client", async () => {
    const home = await createTestIo();
    await home.run(...stdioFixture("fix"));
    const client = await startStdio(home);
    await client.initialize();
    client.request(1, "tools/call", echo("hello"));
    expect(await client.answer(1)).toMatchObject(text("hello"));
    expect(await recordOf(home)).toEqual({
      ...{ pid: process.pid, version: expect.any(String), socket: statePaths(home.env).socket },
    });
    expect((await home.run("status")).out).toMatch(/^cortex-mcp \S+ \(stdio only\), pid \d+, since /);
    expect(JSON.parse((await home.run("status", "--json")).out)).toMatchObject({ url: null, pid: process.pid });
    expect(await home.run("call", "fix__echo", '{"message":"from the command line"}')).toMatchObject({
      out: "from the command line",
    });
    expect((await home.run("disable", "fix")).out).toContain("The running gateway has picked it up: disabled.");
    client.end();
    expect(await client.ended).toMatchObject({ code: 0, out: "" });
    expect((await readdir(statePaths(home.env).folder)).toSorted()).toEqual([...REGISTRY_FILES, "state"]);
    for (const line of client.io.errLines) expect(JSON.parse(line)).toMatchObject({ brand: "brAInwav" });
  });

  test("R14: five that start at once share one gateway; when its client goes it serves the others to the last", async () => {
    const home = await createTestIo();
    const server = await fixture();
    await home.run("add", "fix", server.url);
    const clients = await Promise.all(Array.from({ length: 5 }, () => startStdio(home)));
    await Promise.all(clients.map((client) => client.initialize()));
    const isGateway = ({ io }: { readonly io: TestIo }): boolean =>
      io.errLines.some((line) => line.includes("Became the gateway of this home"));
    const [gateway, ...none] = clients.filter(isGateway);
    expect(none).toEqual([]);
    gateway?.end();
    await vi.waitFor(() => expect(gateway?.io.errLines.join("\n")).toContain("The client is gone"));
    const [last, ...others] = clients.filter((client) => client !== gateway);
    for (const other of others) {
      other.end();
      expect(await other.ended).toMatchObject({ code: 0 });
    }
    last?.request(1, "tools/call", echo("still there"));
    expect(await last?.answer(1)).toMatchObject(text("still there"));
    last?.end();
    expect(await last?.ended).toMatchObject({ code: 0 });
    expect(await gateway?.ended).toMatchObject({ code: 0 });
    await expect(access(statePaths(home.env).socket)).rejects.toThrow("ENOENT");
  });

  test("a signal ends it with 0, the subscriptions with their result, and another goes on", async () => {
    const home = await createTestIo();
    const server = await fixture();
    await home.run("add", "fix", server.url);
    const gateway = await startStdio(home);
    await gateway.initialize();
    const other = await startStdio(home);
    await other.initialize();
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const listen = { _meta, notifications: { toolsListChanged: true } };
    for (const client of [gateway, other]) {
      client.request("sub", "subscriptions/listen", listen);
      await vi.waitFor(() => expect(JSON.stringify(client.messages)).toContain("acknowledged"));
    }
    other.request("slow", "tools/call", { name: "fix__slow", arguments: { ms: 300 } });
    await vi.waitFor(() => expect(server.calls.inFlight).toBe(1));
    gateway.io.signal("SIGTERM");
    expect(await gateway.answer("sub")).toMatchObject({ result: { resultType: "complete" } });
    expect(await other.answer("slow")).toMatchObject({ result: {} });
    expect(await gateway.ended).toMatchObject({ code: 0 });
    other.request("next", "tools/call", echo("next"));
    expect(await other.answer("next")).toMatchObject(text("next"));
    const changes = other.messages.filter((message) => JSON.stringify(message).includes("tools/list_changed"));
    expect(changes).toHaveLength(2);
    expect(other.messages.filter((message) => JSON.stringify(message).includes("acknowledged"))).toHaveLength(1);
    expect(JSON.stringify(other.messages)).not.toContain('"complete"');
    expect((await home.run("status")).out).toContain("(stdio only)");
  });
});

describe("cortex-mcp stdio with a gateway running", () => {
  test("R14: relays to it and leaves it running when its client goes", async () => {
    const home = await createTestIo();
    const server = await fixture();
    await home.run("add", "fix", server.url);
    const { url } = await serving(home);
    await untilState(home, "fix", "up");
    const client = await startStdio(home);
    await client.initialize();
    client.request(1, "tools/call", echo("relayed"));
    expect(await client.answer(1)).toMatchObject(text("relayed"));
    client.end();
    expect(await client.ended).toEqual({ code: 0, out: "", err: "" });
    expect((await home.run("status")).out).toContain(`at ${url}`);
  });

  test("waits for one with a URL to come back after an orderly end, and takes over when it does not", async () => {
    const home = await createTestIo();
    const server = await fixture();
    await home.run("add", "fix", server.url);
    const first = await servingHomeOf(home);
    const client = await startStdio(home);
    await client.initialize();
    client.request("slow", "tools/call", { name: "fix__slow", arguments: { ms: 500 } });
    await vi.waitFor(() => expect(server.calls.inFlight).toBe(1));
    const stopped = first.stop();
    await vi.waitFor(async () => expect(await recordOf(home)).toMatchObject({ stopping: true }));
    const second = await servingHomeOf(home);
    await stopped;
    expect(await client.answer("slow")).toMatchObject({ result: {} });
    client.request(1, "tools/call", echo("one"));
    expect(await client.answer(1)).toMatchObject(text("one"));
    expect(await recordOf(home)).toMatchObject({ url: second.url });
    await second.stop();
    client.request(2, "tools/call", echo("two"));
    expect(await client.answer(2)).toMatchObject(text("two"));
    expect(await recordOf(home)).not.toHaveProperty("url");
  });
});

test("cortex-mcp stdio whose client stopped reading does not wait for it at the end", async () => {
  const home = await createTestIo();
  const server = await fixture();
  await home.run("add", "fix", server.url);
  const client = await startStdio(home);
  await client.initialize();
  client.pause();
  client.request(1, "tools/call", { name: "fix__large", arguments: { bytes: 1_000_000 } });
  await vi.waitFor(() => expect(client.io.stdio.output.writableLength).toBeGreaterThan(0), 10_000);
  client.end();
  expect(await client.ended).toMatchObject({ code: 0 });
  expect(client.io.exits).toEqual([0]);
});

describe("cortex-mcp stdio that cannot serve", () => {
  test.each([[[]], [["--json"]]])(
    "says so in one line on standard error, nothing on standard output (%j)",
    async (flags) => {
      const client = await startStdio(undefined, { env: { CORTEX_MCP_PROT: "1" }, flags });
      expect(await client.ended).toEqual({
        code: 1,
        out: "",
        err: 'cortex-mcp: CORTEX_MCP_PROT is no setting; did you mean "CORTEX_MCP_PORT"?',
      });
      expect(client.lines).toEqual([]);
    },
  );

  /** Something that listens on a home's socket and is no gateway of this version. */
  async function stranger(listener: RequestListener, record?: object): Promise<TestIo> {
    const home = await createTestIo();
    const { folder, socket, gatewayFile } = statePaths(home.env);
    await mkdir(folder, { recursive: true });
    const server = createServer(listener).listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      server.close().closeAllConnections();
    });
    if (record !== undefined) await writeFile(gatewayFile, JSON.stringify({ ...record, socket }));
    return home;
  }

  test("a gateway of another version is named, with what to do", async () => {
    const old: RequestListener = (_request, response) => response.writeHead(404).end();
    const named = await startStdio(await stranger(old, { pid: 4_000_000, url: "http://x/mcp", version: "0.1.0" }));
    expect(await named.ended).toMatchObject({
      code: 1,
      err: "cortex-mcp: the running gateway (version 0.1.0, pid 4000000) does not serve cortex-mcp stdio, it answered HTTP 404: it is of another version; end it with kill 4000000 and start it anew",
    });
    const unnamed = await startStdio(await stranger(old));
    expect((await unnamed.ended).err).toBe(
      "cortex-mcp: the running gateway does not serve cortex-mcp stdio, it answered HTTP 404: it is of another version; end it and start it anew",
    );
  });

  test("a gateway that does not answer is named, with what to do", async () => {
    const hurried = { after: (ms: number, task: () => void) => systemTimers.after(ms / 100, task) };
    const silent = async (record?: object): Promise<string> => {
      const home = await stranger(() => {}, record);
      const io = await createTestIo({ env: { CORTEX_HOME: home.home } });
      expect(await run(["stdio"], { ...io, system: { ...io.system, timers: hurried } })).toBe(1);
      return io.errLines.join("\n");
    };
    expect(await silent({ pid: 4_000_000, version: "1" })).toBe(
      "cortex-mcp: the running gateway (pid 4000000) did not answer within 10 s; kill -CONT 4000000 wakes one that was suspended, kill -9 4000000 ends it",
    );
    expect(await silent()).toBe("cortex-mcp: the running gateway did not answer within 10 s; end it and try again");
  });

  test("a home that cannot be had is told", async () => {
    const home = await createTestIo();
    await writeFile(home.home, "a file where the home should be");
    const client = await startStdio(home);
    expect(await client.ended).toMatchObject({ code: 1, err: expect.stringMatching(/^cortex-mcp: cannot .+$/) });
  });

  test("a gateway that is on its way out is waited for", async () => {
    let asked = 0;
    const home = await createTestIo();
    const { folder, socket } = statePaths(home.env);
    await mkdir(folder, { recursive: true });
    const connections = new Set<Socket>();
    const server = createNetServer((connection) => {
      connections.add(connection);
      connection
        .on("error", () => {})
        .once("data", () => {
          connection.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
          if (++asked === 2) server.close();
        });
    }).listen(path.resolve(socket));
    await new Promise((resolve) => server.once("listening", resolve));
    const client = await startStdio(home);
    await client.initialize();
    expect(asked).toBe(2);
    expect(await recordOf(home)).toMatchObject({ pid: process.pid });
  });

  test("a client that goes before there is a gateway ends it with 0, and nothing is left", async () => {
    const home = await stranger(() => {});
    const client = await startStdio(home);
    client.end();
    expect(await client.ended).toMatchObject({ code: 0, err: "" });
  });
});
