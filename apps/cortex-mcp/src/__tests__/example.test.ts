import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { expect, describe, onTestFinished, test } from "vitest";
import { exampleProgram } from "../example/example-program.js";
import { showProgress } from "../example/progress.js";
import { untilSettled } from "../example/until-settled.js";
import { statePaths } from "../state/state-paths.js";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { ConnectorStatus } from "@cortex-os/mcp-core";
import { anyPort, registryOf, startExample } from "./example-fixture.js";
import { REGISTRY_FILES } from "./registry-files.js";
import { createTestIo } from "./test-io.js";

describe("pnpm start", () => {
  test("serves four connectors, says how to use them, and leaves nothing behind", async () => {
    const io = await createTestIo({ env: anyPort });
    const { said, stop } = await startExample(io);
    for (const [name, source] of [
      ["fixture", "map"],
      ["everything", "registry"],
      ["filesystem", "registry"],
      ["memory", "registry"],
    ]) {
      expect(said()).toMatch(new RegExp(`^ {2}${name} +${source} +up, \\d+ tools {2}\\(\\d+\\.\\d s\\)$`, "m"));
    }
    const url = /ready at (\S+)$/m.exec(said())?.[1] ?? "";
    expect(said().split("\n").slice(-15)).toEqual([
      `cortex-mcp is ready at ${url}`,
      "",
      "Try it in a second terminal:",
      "  npx -y pnpm cortex-mcp tools",
      `  npx -y pnpm cortex-mcp call fixture__echo '{"message":"hello"}'`,
      "  npx -y pnpm cortex-mcp status",
      "",
      "What says map comes from a signed service map that this example publishes; status tells how fresh it is.",
      `Edit ${path.join("home/mcp/example/map/manifest.json")}, and within ten seconds the gateway follows.`,
      "",
      "Give it to a client:",
      `  {"mcpServers":{"cortex":{"type":"http","url":"${url}"}}}`,
      `  claude mcp add --transport http cortex ${url}`,
      "",
      "Ctrl-C stops it.",
    ]);
    expect((await io.run("call", "fixture__echo", '{"message":"hello"}')).out).toBe("hello");
    const file = path.join(io.home, "mcp/example/files/hello.txt");
    const read = await io.run("call", "filesystem__read_text_file", JSON.stringify({ path: file }));
    expect(read.out).toContain("Hello from the filesystem server");
    await io.run(
      "call",
      "memory__create_entities",
      '{"entities":[{"name":"n","entityType":"t","observations":["o"]}]}',
    );
    expect(await readFile(path.join(io.home, "mcp/example/memory.json"), "utf8")).toContain('"name":"n"');
    expect(await stop()).toBe(0);
    expect((await readdir(path.join(io.home, "mcp"))).toSorted()).toEqual(["example", ...REGISTRY_FILES, "state"]);
    expect(io.errLines).toEqual([]);
  });

  test("a later start mends what moved, and leaves everything else alone", async () => {
    const io = await createTestIo({ env: anyPort });
    const first = await startExample(io);
    await io.run("remove", "everything");
    await io.run("remove", "filesystem");
    await io.run("add", "mine", "http://127.0.0.1:1/mcp");
    await first.stop();
    const { registry } = statePaths(io.env);
    const before = await registryOf(io);
    const moved = (await readFile(registry, "utf8")).replace(/"(\/[^"]+)\/dist\/index\.js"/, '"$1/moved/index.js"');
    await writeFile(registry, moved);
    await writeFile(path.join(io.home, "mcp/example/files/hello.txt"), "edited");
    const second = await startExample(io);
    expect((await io.run("call", "fixture__echo", '{"message":"again"}')).out).toBe("again");
    expect(second.said()).toMatch(/^ {2}mine +registry +down: /m);
    await second.stop();
    const after = await registryOf(io);
    expect(after.servers.map(({ name }) => name)).toEqual(["memory", "mine"]);
    expect(after.servers).toEqual(before.servers);
    expect(await readFile(path.join(io.home, "mcp/example/files/hello.txt"), "utf8")).toBe("edited");
  });

  test("a registry of somebody's own gets no example, and a fixture of theirs is not touched", async () => {
    const io = await createTestIo({ env: anyPort });
    await io.run("add", "fixture", "http://127.0.0.1:1/mcp");
    const before = await registryOf(io);
    const { said } = await startExample(io);
    expect(said()).not.toMatch(/fixture__echo|service map/);
    expect(said()).toMatch(/^ {2}fixture +registry +down: /m);
    expect(await registryOf(io)).toEqual(before);
    await expect(readdir(path.join(io.home, "mcp/example/map"))).rejects.toThrow("ENOENT");
  });

  test("--empty writes no example, and omits the one of an earlier start", async () => {
    const io = await createTestIo({ env: anyPort });
    const first = await startExample(io, "--empty");
    expect(first.said()).not.toContain("Connecting");
    expect((await io.run("list", "--json")).out).toBe("[]");
    await first.stop();
    await expect(readdir(path.join(io.home, "mcp/example"))).rejects.toThrow("ENOENT");
    const withExample = await startExample(io);
    await withExample.stop();
    const again = await startExample(io, "--empty");
    expect(again.said()).not.toContain("Connecting");
    expect(JSON.parse((await io.run("status", "--json")).out)).toMatchObject({ connectors: [], tools: 0 });
    expect((await registryOf(io)).servers).toHaveLength(3);
  });

  test("when the port is taken it says so and takes a free one", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const io = await createTestIo({ env: { CORTEX_MCP_PORT: String(port) } });
    const { said } = await startExample(io, "--empty");
    expect(said()).toContain(`Port ${port} is taken by another program: taking a free one.`);
    expect(said()).not.toContain(`at http://127.0.0.1:${port}/mcp`);
  });

  test("refuses a second one on its home, a bad configuration and an unknown flag, in one line each", async () => {
    const io = await createTestIo({ env: anyPort });
    const { said } = await startExample(io, "--empty");
    expect(await exampleProgram([], io)).toBe(1);
    expect(io.errLines.at(-1)).toMatch(
      /^cortex-mcp: a gateway is running already for .+: pid \d+ at http:\/\/.+; stop it with kill/,
    );
    expect(said()).not.toContain("Connecting");
    await expect(registryOf(io)).rejects.toThrow("ENOENT");
    expect(await exampleProgram(["--emtpy"], io)).toBe(1);
    expect(io.errLines.at(-1)).toMatch(/^cortex-mcp: unknown option '--emtpy' \(Did you mean --empty\?\)/);
    expect(await exampleProgram(["--help"], io)).toBe(0);
    const misspelt = await createTestIo({ env: { CORTEX_MCP_PROT: "1" } });
    expect(await exampleProgram([], misspelt)).toBe(1);
    expect(misspelt.listening()).toBe(0);
  });

  test("a sample folder that cannot be made is an error, and nothing stays open", async () => {
    const io = await createTestIo({ env: anyPort });
    await mkdir(path.join(io.home, "mcp/example"), { recursive: true });
    await writeFile(path.join(io.home, "mcp/example/files"), "a file where a folder should be");
    expect(await exampleProgram([], io)).toBe(1);
    expect(io.errLines.at(-1)).toBe(
      `cortex-mcp: cannot use ${path.join(io.home, "mcp/example/files")}: a part of its path is a file, not a folder: move that file away`,
    );
    expect(await readdir(path.join(io.home, "mcp"))).toEqual(["example"]);
    expect(io.listening()).toBe(0);
  });
});

describe("progress", () => {
  function gatewayWith(...connectors: ConnectorStatus[]) {
    const listeners = new Set<() => void>();
    return {
      connectors,
      listeners,
      status: () => ({ version: "1", startedAt: "x", revision: "r", tools: 0, sessions: 0, problems: [], connectors }),
      settled: async () => {},
      onChange: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      change: (...now: ConnectorStatus[]) => {
        connectors.splice(0, connectors.length, ...now);
        for (const listener of [...listeners]) listener();
      },
    };
  }
  const connector = (state: ConnectorStatus["state"], more: Partial<ConnectorStatus> = {}): ConnectorStatus => ({
    key: "docs",
    source: "registry",
    state,
    tools: 0,
    since: "x",
    ...more,
  });

  test("tells each change once, and nothing while connecting", async () => {
    const gateway = gatewayWith(connector("connecting"));
    const time = new ManualTime();
    const lines: string[] = [];
    const hide = showProgress(gateway, time, (line) => lines.push(line));
    await time.advance(1_250);
    gateway.change(connector("down"));
    gateway.change(connector("down"));
    gateway.change(connector("connecting"));
    gateway.change(connector("up", { tools: 1 }));
    gateway.change(connector("disabled"));
    gateway.change(connector("down", { reason: "no answer" }));
    hide();
    gateway.change(connector("up"));
    expect(lines).toEqual([
      "  docs         registry  down: no reason given  (1.3 s)",
      "  docs         registry  up, 1 tool  (1.3 s)",
      "  docs         registry  disabled  (1.3 s)",
      "  docs         registry  down: no answer  (1.3 s)",
    ]);
  });

  test("is over when nothing connects any more, or after a minute", async () => {
    const gateway = gatewayWith(connector("connecting"));
    const time = new ManualTime();
    const settled = untilSettled(gateway, time);
    gateway.change(connector("down"));
    await settled;
    gateway.change(connector("connecting"));
    const bounded = untilSettled(gateway, time);
    await time.advance(60_000);
    await bounded;
    expect([gateway.listeners.size, time.pending]).toEqual([0, 0]);
  });
});
