import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createTestIo, type TestIo } from "./test-io.js";

const NONE_RUNS = "No gateway is running; cortex-mcp serve starts one.";

async function stored(io: TestIo): Promise<unknown[]> {
  const text = await readFile(path.join(io.home, "mcp/servers.json"), "utf8");
  return (JSON.parse(text) as { servers: unknown[] }).servers;
}

async function seed(io: TestIo, text: string): Promise<void> {
  await mkdir(path.join(io.home, "mcp"), { recursive: true });
  await writeFile(path.join(io.home, "mcp/servers.json"), text);
}

describe("R14: the command line changes the registry", () => {
  test("add takes a URL with headers and writes what claude mcp add would mean", async () => {
    const io = await createTestIo();
    const ran = await io.run("add", "docs", "https://host/mcp?key=s3cret", "-H", "Authorization: Bearer s3cret");
    expect(ran).toEqual({
      code: 0,
      out: `Added "docs" (http: https://host/mcp?key=***).\n${NONE_RUNS}`,
      err: "",
    });
    expect(await stored(io)).toEqual([
      {
        name: "docs",
        transport: "http",
        endpoint: "https://host/mcp?key=s3cret",
        headers: { Authorization: "Bearer s3cret" },
      },
    ]);
  });

  test("add takes a command after --, with its own flags and repeated -e", async () => {
    const io = await createTestIo();
    const ran = await io.run("add", "mem", "-e", "A=1", "-e", "B=x=y", "--", "node", "-e", "1 + 1", "--json");
    expect(ran).toEqual({ code: 0, out: `Added "mem" (stdio: node -e "1 + 1" --json).\n${NONE_RUNS}`, err: "" });
    expect(await stored(io)).toEqual([
      {
        name: "mem",
        transport: "stdio",
        command: "node",
        args: ["-e", "1 + 1", "--json"],
        env: { A: "1", B: "x=y" },
      },
    ]);
  });

  test("add remembers the folder when the words name something in it", async () => {
    const io = await createTestIo();
    await writeFile(path.join(io.cwd, "server.mjs"), "");
    await writeFile(path.join(io.cwd, "run.sh"), "#!/bin/sh\n");
    await chmod(path.join(io.cwd, "run.sh"), 0o755);
    const relative = await io.run("add", "a", "node", "server.mjs");
    expect(relative.out).toContain(`Added "a" (stdio: node server.mjs in ${io.cwd}).`);
    await io.run("add", "b", "--", "./run.sh");
    const sse = await io.run("add", "c", "-t", "sse", "http://127.0.0.1:1/sse");
    expect(sse.out).not.toContain("It will be down");
    expect(await stored(io)).toEqual([
      { name: "a", transport: "stdio", command: "node", args: ["server.mjs"], cwd: io.cwd },
      { name: "b", transport: "stdio", command: path.join(io.cwd, "run.sh") },
      { name: "c", transport: "sse", endpoint: "http://127.0.0.1:1/sse" },
    ]);
  });

  test("add refuses a name that is taken, unless forced", async () => {
    const io = await createTestIo();
    await io.run("add", "docs", "https://one.example/mcp");
    expect(await io.run("add", "docs", "https://two.example/mcp")).toEqual({
      code: 1,
      out: "",
      err: 'cortex-mcp: there is a server "docs" already; add --force to replace it, or choose another name',
    });
    const forced = await io.run("add", "docs", "https://two.example/mcp", "--force", "--json");
    expect(JSON.parse(forced.out)).toEqual({
      replaced: { name: "docs", transport: "http", endpoint: "https://two.example/mcp" },
      gateway: null,
    });
    expect(await stored(io)).toHaveLength(1);
  });

  test("add refuses a file that may not be executed", async () => {
    const io = await createTestIo();
    await writeFile(path.join(io.cwd, "notes.txt"), "");
    const { code, err } = await io.run("add", "x", "--", "./notes.txt");
    expect([code, err]).toEqual([
      1,
      'cortex-mcp: "./notes.txt" is not executable; chmod +x it, or name what runs it before it',
    ]);
  });

  test("add-json takes the words of clients' files and those of servers.json", async () => {
    const io = await createTestIo();
    await io.run("add-json", "a", '{"type":"streamable-http","url":"https://a.example/mcp","headers":{"K":"v"}}');
    await io.run("add-json", "b", '{"command":"node","args":["x.mjs"],"vendor":1}');
    await io.run(
      "add-json",
      "c",
      '{"transport":"http","type":"sse","endpoint":"https://c.example","url":"https://no"}',
    );
    await io.run("add-json", "d", '{"command":"./tool","cwd":"/srv"}');
    expect(await stored(io)).toEqual([
      { name: "a", transport: "http", endpoint: "https://a.example/mcp", headers: { K: "v" } },
      { name: "b", command: "node", args: ["x.mjs"], vendor: 1 },
      { name: "c", transport: "http", endpoint: "https://c.example" },
      { name: "d", command: "./tool", cwd: "/srv" },
    ]);
    const socket = await io.run("add-json", "ws", '{"type":"ws","url":"ws://h.example"}');
    expect(socket.out).toContain("It will be down: WebSocket servers are not supported; use streamable HTTP or stdio.");
    const refused = await io.run("add-json", "e", '{"comand":"node"}');
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/^cortex-mcp: the JSON describes no server: endpoint: /),
    ]);
  });

  test("list and get mask secrets, unless they are asked for", async () => {
    const io = await createTestIo();
    await io.run("add", "docs", "https://host/mcp", "-H", "Authorization: Bearer s3cret");
    await io.run("add", "mem", "-e", "TOKEN=s3cret", "--", "node", "--token", "s3cret");
    await io.run("disable", "mem");
    const human = await io.run("list");
    expect(human.out.split("\n")).toEqual([
      "NAME  SOURCE    TRANSPORT  STATE     TOOLS  TARGET",
      "docs  registry  http       -         -      https://host/mcp",
      "mem   registry  stdio      disabled  -      node --token ***",
      NONE_RUNS,
    ]);
    const json = await io.run("list", "--json");
    expect(JSON.parse(json.out)).toEqual([
      {
        name: "docs",
        transport: "http",
        endpoint: "https://host/mcp",
        headers: { Authorization: "***" },
        source: "registry",
        status: null,
      },
      {
        name: "mem",
        transport: "stdio",
        command: "node",
        args: ["--token", "***"],
        env: { TOKEN: "***" },
        disabled: true,
        source: "registry",
        status: null,
      },
    ]);
    const get = await io.run("get", "mem");
    expect(get.out.split("\n")).toEqual([
      "mem (stdio)",
      "  target: node --token ***",
      "  env: TOKEN=***",
      "  state: disabled",
    ]);
    const shown = await io.run("get", "docs", "--show-secrets");
    expect(shown.out).toContain("  header: Authorization: Bearer s3cret\n  state: no gateway is running");
    expect((await io.run("get", "mem", "--show-secrets")).out).toContain("env: TOKEN=s3cret");
    const all = await io.run("list", "--json", "--show-secrets");
    expect(all.out).toContain('"TOKEN": "s3cret"');
    const one = await io.run("get", "mem", "--json");
    expect(JSON.parse(one.out)).toMatchObject({
      env: { TOKEN: "***" },
      source: "registry",
      status: null,
      ownAddress: null,
    });
    for (const { out } of [human, json, get, one]) expect(out).not.toContain("s3cret");
  });

  test("list of nothing says how to begin", async () => {
    const io = await createTestIo();
    expect(await io.run("list")).toEqual({
      code: 0,
      out: "No servers yet; cortex-mcp add NAME URL adds one.",
      err: "",
    });
    expect((await io.run("list", "--json")).out).toBe("[]");
  });

  test("enable and disable change one member, and say when there is nothing to change", async () => {
    const io = await createTestIo();
    await io.run("add", "docs", "https://host/mcp");
    expect((await io.run("enable", "docs")).out).toBe(`"docs" is enabled already.\n${NONE_RUNS}`);
    expect((await io.run("disable", "docs")).out).toBe(`Disabled "docs".\n${NONE_RUNS}`);
    expect(await stored(io)).toEqual([
      { name: "docs", transport: "http", endpoint: "https://host/mcp", disabled: true },
    ]);
    expect((await io.run("disable", "docs")).out).toBe(`"docs" is disabled already.\n${NONE_RUNS}`);
    expect((await io.run("enable", "docs")).out).toBe(`Enabled "docs".\n${NONE_RUNS}`);
    expect(await stored(io)).toEqual([{ name: "docs", transport: "http", endpoint: "https://host/mcp" }]);
  });

  test("remove removes, and suggests the name that was meant", async () => {
    const io = await createTestIo();
    await io.run("add", "docs", "https://host/mcp");
    expect((await io.run("remove", "dosc")).err).toBe('cortex-mcp: there is no server "dosc"; did you mean "docs"?');
    expect((await io.run("remove", "docs")).out).toBe(`Removed "docs".\n${NONE_RUNS}`);
    expect(await stored(io)).toEqual([]);
  });

  test("a registry that is not JSON is kept, named, and never written over", async () => {
    const io = await createTestIo();
    const torn = '{"servers":[{"name":"docs","endpoint":"https://host/mcp"';
    await seed(io, torn);
    for (const argv of [["list"], ["add", "x", "https://y/mcp"], ["remove", "docs"]]) {
      const ran = await io.run(...argv);
      expect([ran.code, ran.out]).toEqual([1, ""]);
      expect(ran.err).toMatch(
        /^cortex-mcp: in .+\/mcp: servers\.json is damaged: .+: mend it, or .+ kept beside it as servers\.json\.corrupt-\S+$/,
      );
      expect(ran.err).not.toContain("\n");
    }
    expect(await readFile(path.join(io.home, "mcp/servers.json"), "utf8")).toBe(torn);
    const kept = (await readdir(path.join(io.home, "mcp"))).filter((name) => name.includes(".corrupt-"));
    expect(kept).toHaveLength(1);
  });

  test("an entry that cannot be served is told of and kept in the file", async () => {
    const io = await createTestIo();
    await seed(io, '{"servers":[{"name":"bad name"},7,{"name":"docs","endpoint":"https://host/mcp"}]}');
    const ran = await io.run("list", "--json");
    expect(JSON.parse(ran.out)).toMatchObject([{ name: "docs" }]);
    expect(ran.err).toMatch(
      /^cortex-mcp: warning: servers\.json: servers\[0\] \("bad name"\) is not served: .+\ncortex-mcp: warning: servers\.json: servers\[1\] is /,
    );
    await io.run("add", "more", "https://more.example/mcp");
    expect(await stored(io)).toHaveLength(4);
  });

  test("a registry that may not be read is an error, not an empty list", async () => {
    const io = await createTestIo();
    await mkdir(path.join(io.home, "mcp/servers.json"), { recursive: true });
    const ran = await io.run("list");
    expect([ran.code, ran.out, ran.err.split("\n")]).toEqual([
      1,
      "",
      [expect.stringMatching(/^cortex-mcp: .+servers\.json/)],
    ]);
  });
});
