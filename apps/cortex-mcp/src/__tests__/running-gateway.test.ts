import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { run } from "../run.js";
import { fixture, serving, stdioFixture, untilState } from "./serving.js";
import { createTestIo } from "./test-io.js";

describe("R14: commands and the running gateway", () => {
  test("add, disable, enable and remove reach it without a restart, and say so", async () => {
    const io = await createTestIo();
    const server = await fixture();
    const { url } = await serving(io);
    const gateway = `The running gateway at ${url}`;
    expect((await io.run("status")).out.split("\n").at(-1)).toBe("No servers yet; cortex-mcp add NAME URL adds one.");
    expect((await io.run("add", "fix", server.url)).out).toMatch(
      new RegExp(`^Added "fix" .+\\n${gateway} has picked it up: (connecting|up)\\.$`),
    );
    await untilState(io, "fix", "up");
    expect((await io.run("list")).out).toMatch(/^fix {3}registry {2}http {7}up {5}\d+ {5,}http:\/\/127/m);
    expect((await io.run("disable", "fix")).out).toBe(`Disabled "fix".\n${gateway} has picked it up: disabled.`);
    expect((await io.run("tools")).out).toBe("0 tools of 0 of 1 server.");
    expect((await io.run("enable", "fix")).out).toContain(`Enabled "fix".\n${gateway} has picked it up: `);
    const listed = JSON.parse((await io.run("list", "--json")).out) as unknown[];
    expect(listed).toMatchObject([{ name: "fix", status: { key: "fix", source: "registry" } }]);
    expect((await io.run("get", "fix")).out).toMatch(/ {2}state: (connecting|up)$/);
    expect((await io.run("remove", "fix")).out).toBe(`Removed "fix".\n${gateway} has let it go.`);
    const added = await io.run("add", "fix", server.url, "--json");
    expect(JSON.parse(added.out)).toMatchObject({
      added: { name: "fix" },
      gateway: { running: true, url, connector: { key: "fix" } },
    });
  });

  test("status, list and tools tell why a server is down", async () => {
    const io = await createTestIo();
    await io.run("add", "dead", "http://127.0.0.1:1/mcp");
    await serving(io);
    await untilState(io, "dead", "down");
    expect((await io.run("status")).out).toMatch(/^dead {2}registry {2}down {3}0 {6}- {4}\S+Z {2}\S.+/m);
    expect((await io.run("list")).out).toMatch(/^dead is down: \S/m);
    expect((await io.run("tools")).err).toMatch(/^dead is down: \S/);
    expect((await io.run("get", "dead")).out).toMatch(/ {2}state: down, \S/);
  });

  test("call prints the answer, or with --json the whole CallToolResult", async () => {
    const io = await createTestIo({ input: '{"message":"from stdin"}' });
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await serving(io);
    await untilState(io, "fix", "up");
    expect(await io.run("call", "fix__echo", '{"message":"hello"}')).toEqual({ code: 0, out: "hello", err: "" });
    expect((await io.run("call", "fix__echo", "-")).out).toBe("from stdin");
    const json = await io.run("call", "fix__add", '{"a":1,"b":2}', "--json");
    expect(JSON.parse(json.out)).toMatchObject({ structuredContent: { sum: 3 } });
    expect((await io.run("call", "fix__content")).out).toMatch(/\[image, image\/\w+, \d+ characters of base64\]/);
    const failed = await io.run("call", "fix__fail", '{"message":"no"}');
    expect(failed).toEqual({ code: 1, out: expect.stringContaining("no"), err: "fix__fail reported an error" });
    const failedJson = await io.run("call", "fix__fail", '{"message":"no"}', "--json");
    expect([failedJson.code, failedJson.err]).toEqual([1, ""]);
    expect(JSON.parse(failedJson.out)).toMatchObject({ isError: true });
  });

  test("a call that cannot be made says why, with the code that goes over the wire", async () => {
    const io = await createTestIo();
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await serving(io);
    await untilState(io, "fix", "up");
    const unknown = await io.run("call", "fix__ehco");
    expect(unknown).toEqual({
      code: 1,
      out: "",
      err: 'cortex-mcp: there is no tool "fix__ehco"; did you mean "fix__echo"?',
    });
    const zebra = await io.run("call", "zebra", "--json");
    expect(JSON.parse(zebra.out)).toEqual({
      error: { code: -32_602, message: 'there is no tool "zebra"; cortex-mcp tools shows what there is' },
    });
    await server.close();
    const dead = await io.run("call", "fix__echo", '{"message":"x"}', "--json");
    expect([dead.code, JSON.parse(dead.out)]).toMatchObject([1, { error: { code: -31_001 } }]);
  });

  test("an interrupted call is cancelled at the upstream", async () => {
    const io = await createTestIo();
    const server = await fixture();
    await io.run("add", "fix", server.url);
    const { stop } = await serving(io);
    await untilState(io, "fix", "up");
    const before = io.listening();
    const calling = io.run("call", "fix__slow", '{"ms":600000,"steps":2}');
    await vi.waitFor(() => {
      expect(server.calls.inFlight).toBe(1);
    }, 20_000);
    expect(io.listening()).toBe(before + 1);
    io.signal("SIGINT");
    expect(await calling).toMatchObject({
      code: 1,
      err: expect.stringContaining("the call of fix__slow was interrupted"),
    });
    await vi.waitFor(() => {
      expect(server.calls).toMatchObject({ cancelled: 1, inFlight: 0 });
    }, 20_000);
    expect(await stop()).toBe(0);
  });

  test("SIGTERM lets a call in flight finish, and tells one that takes longer than drainMs why it fails", async () => {
    const io = await createTestIo({ env: { CORTEX_MCP_DRAIN_MS: "1000" } });
    const client = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const server = await fixture();
    await io.run("add", "fix", server.url);
    const { stop } = await serving(io);
    await untilState(io, "fix", "up");
    const short = client.run("call", "fix__slow", '{"ms":200,"steps":1}');
    const long = client.run("call", "fix__slow", '{"ms":600000,"steps":1}');
    await vi.waitFor(() => {
      expect(server.calls.inFlight).toBe(2);
    }, 20_000);
    expect(await stop()).toBe(0);
    expect(await short).toMatchObject({ code: 0, err: "" });
    expect(await long).toMatchObject({
      code: 1,
      err: "cortex-mcp: the gateway is shutting down",
    });
    await vi.waitFor(() => {
      expect(server.calls).toMatchObject({ completed: 1, cancelled: 1, inFlight: 0 });
    }, 20_000);
  });

  test("with none running, tools and call start one for the one command and leave nothing", async () => {
    const io = await createTestIo();
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await io.run(...stdioFixture("twin"));
    await io.run("add", "dead", "http://127.0.0.1:1/mcp");
    const tools = await io.run("tools");
    expect(tools.out).toMatch(/^TOOL {2,}DESCRIPTION\n/);
    expect(tools.out).toMatch(/^fix__echo {2,}\S/m);
    expect(tools.out).toMatch(/^twin__echo {2,}\S/m);
    expect(tools.out).toMatch(/\d+ tools of 2 of 3 servers\.$/);
    expect(tools.err).toMatch(/^dead is down: /);
    const json = JSON.parse((await io.run("tools", "--json")).out) as { name: string }[];
    const names = json.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    expect(json[0]).toMatchObject({ connector: "fix", tool: expect.any(String), definition: { name: names[0] } });
    expect((await io.run("call", "twin__echo", '{"message":"hello"}')).out).toBe("hello");
    expect((await io.run("call", "twin__ehco")).err).toContain('did you mean "twin__echo"?');
    expect((await io.run("call", "zebra")).err).toContain('there is no tool "zebra"');
    expect((await io.run("call", "fix__fail", '{"message":"no"}')).code).toBe(1);
    expect(await io.run("status")).toMatchObject({ code: 1 });
    expect(io.listening()).toBe(0);
    expect(JSON.parse(await readFile(`${io.home}/mcp/servers.json`, "utf8"))).toHaveProperty("servers.length", 3);
  });

  test("R11: over a registry that is not JSON, tools and call without a gateway fail and name the copy that was kept", async () => {
    const io = await createTestIo();
    await mkdir(`${io.home}/mcp`, { recursive: true });
    await writeFile(`${io.home}/mcp/servers.json`, '{"servers": [');
    for (const words of [["tools"], ["tools", "--json"], ["call", "a__x"]]) {
      const ran = await io.run(...words);
      expect(ran.code).toBe(1);
      expect(ran.out + ran.err).toMatch(/servers\.json is damaged: .+ kept beside it as servers\.json\.corrupt-\S+/);
    }
  });

  test("R11: a running gateway that cannot read the registry says so in status, and tools on standard error", async () => {
    const io = await createTestIo();
    await io.run("add", "dead", "http://127.0.0.1:1/mcp");
    await serving(io);
    await writeFile(`${io.home}/mcp/servers.json`, '{"servers": [');
    await vi.waitFor(async () => {
      expect((await io.run("status")).out).toMatch(
        /^Problem: servers\.json is damaged: it is not valid JSON; it is written anew with the next change, and kept beside that as servers\.json\.corrupt-…$/m,
      );
    }, 20_000);
    const json = JSON.parse((await io.run("status", "--json")).out) as unknown;
    expect(json).toMatchObject({ problems: [expect.stringContaining("servers.json is damaged")] });
    const tools = await io.run("tools");
    expect([tools.code, tools.err]).toEqual([0, expect.stringMatching(/^cortex-mcp: warning: .*is not valid JSON/)]);
  });

  test("a registry as clients write theirs is told in one line", async () => {
    const io = await createTestIo();
    await mkdir(`${io.home}/mcp`, { recursive: true });
    await writeFile(`${io.home}/mcp/servers.json`, '{"mcpServers": {"a": {"command": "x"}}}');
    const reason =
      "it has mcpServers but no servers, so nothing is served; add each of them with cortex-mcp add-json, or make a list named servers of them";
    for (const command of ["list", "tools"]) {
      expect(await io.run(command)).toMatchObject({
        code: 0,
        err: expect.stringContaining(`cortex-mcp: warning: servers.json: ${reason}`),
      });
    }
  });

  test("without a gateway, who keeps tools waiting is told at a terminal, and is not waited for for ever", async () => {
    const hanging = createServer(() => {}).listen(0, "127.0.0.1");
    await new Promise((resolve) => hanging.once("listening", resolve));
    onTestFinished(() => {
      hanging.close().closeAllConnections();
    });
    const address = hanging.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const io = await createTestIo({ terminal: true, env: { CORTEX_MCP_STARTUP_MAX_MS: "4000" } });
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await io.run("add", "hung", `http://127.0.0.1:${port}/mcp`);
    // Ten times as fast: the order is what counts.
    const timers = { after: (ms: number, task: () => void) => io.system.timers.after(ms / 10, task) };
    const before = io.errLines.length;
    expect(await run(["tools"], { ...io, system: { ...io.system, timers } })).toBe(0);
    expect(io.errLines.slice(before)).toEqual([
      "Waiting for hung …",
      expect.stringMatching(/^hung (has not answered yet|is down: .+)$/),
    ]);
    expect(io.outLines.at(-1)).toMatch(/tools of 1 of 2 servers\.$/);
  });

  test("tools of an empty home says how to begin", async () => {
    const io = await createTestIo();
    expect((await io.run("tools")).out).toBe("No servers yet; cortex-mcp add NAME URL adds one.");
    expect((await io.run("tools", "--json")).out).toBe("[]");
  });

  test("a start for one command starts only the server that is called", async () => {
    const io = await createTestIo();
    const server = await fixture();
    const other = await fixture();
    await io.run("add", "fix", server.url);
    await io.run("add", "other", other.url);
    await io.run("call", "fix__echo", '{"message":"x"}');
    expect(JSON.stringify(other.requests)).not.toMatch(/[1-9]/);
  });
});
