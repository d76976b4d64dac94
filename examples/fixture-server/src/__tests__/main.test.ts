import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import { FlagError, parseFlags } from "../main/flags.js";
import { runHttp } from "../main/run-http.js";
import { runStdio, type StdioProcess } from "../main/run-stdio.js";
import { modern, openStream, raw, resultOf } from "./support.js";

interface TestProcess extends StdioProcess {
  readonly lines: string[];
  readonly input: PassThrough;
  readonly output: PassThrough;
  signal: () => void;
}

function processWith(...argv: string[]): TestProcess {
  const lines: string[] = [];
  const process: TestProcess = {
    argv,
    lines,
    input: new PassThrough(),
    output: new PassThrough(),
    out: (line) => void lines.push(`out ${line}`),
    err: (line) => void lines.push(`err ${line}`),
    crash: () => void lines.push("crashed"),
    signal: () => {},
    onSignal: (_, task) => {
      process.signal = task;
    },
  };
  return process;
}

describe("the flags", () => {
  test("have defaults", () => {
    expect(parseFlags("http", [])).toMatchObject({ port: 0, era: "both", tools: 0, sessions: true, jsonOnly: false });
    expect(parseFlags("stdio", [])).toMatchObject({ era: "both", ignoreEof: false, allowCrash: false });
  });

  test("are read", () => {
    const http =
      "--port 8 --era legacy --tools 3 --delay-ms 5 --list-delay-ms 6 --ttl-ms 7 --page-size 2 --no-sessions --json-only --name n --resources 4 --common-resources --no-prompts --no-completions --conformance --invalid-headers --revision 2025-03-26";
    expect(parseFlags("http", http.split(" "))).toEqual({
      port: 8,
      era: "legacy",
      name: "n",
      tools: 3,
      delayMs: 5,
      listDelayMs: 6,
      ttlMs: 7,
      pageSize: 2,
      transport: "http",
      resources: 4,
      commonResources: true,
      features: { resources: true, prompts: false, completions: false, logging: true },
      sessions: false,
      jsonOnly: true,
      resumable: true,
      conformance: true,
      invalidHeaders: true,
      revision: "2025-03-26",
      ignoreEof: false,
      allowCrash: false,
    });
    expect(parseFlags("http", [])).toMatchObject({ conformance: false, resumable: false, revision: undefined });
    expect(parseFlags("http", ["--resumable"])).toMatchObject({ conformance: false, resumable: true });
    expect(parseFlags("stdio", ["--ignore-eof", "--allow-crash"])).toMatchObject({ ignoreEof: true, allowCrash: true });
    expect(parseFlags("stdio", ["--no-resources", "--no-logging"])).toMatchObject({
      features: { resources: false, prompts: true, completions: true, logging: false },
    });
  });

  test.each([
    ["http", ["--era", "new"], "--era must be modern, legacy or both, got new"],
    ["http", ["--port", "65536"], "--port must be a whole number from 0 to 65535, got 65536"],
    ["http", ["--tools", "many"], "--tools must be a whole number"],
    ["http", ["--tools=-1"], "--tools must be a whole number"],
    ["http", ["--page-size", "0"], "--page-size must be at least 1"],
    ["http", ["--transport", "ws"], "--transport must be http or sse, got ws"],
    ["http", ["--transport", "sse", "--era", "modern"], "--transport sse is for legacy clients"],
    ["http", ["--transport", "sse", "--no-sessions"], "--transport sse is for legacy clients"],
    ["http", ["--transport", "sse", "--json-only"], "--transport sse is for legacy clients"],
    ["stdio", ["--transport", "sse"], "Unknown option '--transport'"],
    ["http", ["--era", "legacy", "--revision", "2026-07-28"], "--revision must be one of 2025-11-25, 2025-06-18"],
    ["stdio", ["--revision", "2025-06-18"], "--era legacy goes with it"],
    ["http", ["--ignore-eof"], "Unknown option '--ignore-eof'"],
    ["stdio", ["--port", "1"], "Unknown option '--port'"],
    ["stdio", ["positional"], "positional"],
  ] as const)("%s %j is refused in one line", (transport, argv, message) => {
    expect(() => parseFlags(transport, argv)).toThrow(FlagError);
    expect(() => parseFlags(transport, argv)).toThrow(message);
  });
});

describe("the HTTP program", () => {
  test("prints one line with its URL, serves, and ends with 0 on a signal", async () => {
    const process = processWith("--name", "mine", "--ttl-ms", "1", "--page-size", "3");
    const ended = runHttp(process);
    await vi.waitFor(() => {
      expect(process.lines).toHaveLength(1);
    });
    const url = /^out MCP fixture server ready at (http:\/\/127\.0\.0\.1:\d+\/mcp)$/.exec(process.lines[0] ?? "")?.[1];
    const list = resultOf(await modern(url ?? "", "tools/list"));
    expect(list).toMatchObject({ ttlMs: 1 });
    expect(list["tools"]).toHaveLength(3);
    process.signal();
    expect(await ended).toBe(0);
    expect(process.lines).toHaveLength(1);
  });

  test("--transport sse serves HTTP+SSE of 2024-11-05", async () => {
    const process = processWith("--transport", "sse", "--name", "old");
    const ended = runHttp(process);
    await vi.waitFor(() => {
      expect(process.lines).toHaveLength(1);
    });
    const url = /http:\S+\/sse$/.exec(process.lines[0] ?? "")?.[0] ?? "";
    expect((await raw(url, "POST", { "content-type": "application/json" }, "{}")).status).toBe(405);
    const stream = await openStream(url, { method: "GET", headers: {} });
    process.signal();
    expect(await ended).toBe(0);
    expect(await stream.ended).toBe(true);
    expect(stream.endpoint()).toMatch(/^\/messages\?sessionId=/);
  });

  test("a flag that cannot be meant and a taken port are one line and 1", async () => {
    const refused = processWith("--port", "x");
    expect(await runHttp(refused)).toBe(1);
    expect(refused.lines).toEqual(["err --port must be a whole number from 0 to 65535, got x"]);

    const first = processWith();
    const ended = runHttp(first);
    await vi.waitFor(() => {
      expect(first.lines).toHaveLength(1);
    });
    const second = processWith("--port", /:(\d+)\//.exec(first.lines[0] ?? "")?.[1] ?? "");
    expect(await runHttp(second)).toBe(1);
    expect(second.lines).toEqual([expect.stringMatching(/^err cannot listen: .*EADDRINUSE.*; choose another --port$/)]);
    first.signal();
    await ended;
  });

  test("a fault of ours passes through", async () => {
    const broken: TestProcess = {
      ...processWith(),
      onSignal: (_, task) => {
        task();
      },
      out: () => {
        throw new Error("fault");
      },
    };
    await expect(runHttp(broken)).rejects.toThrow("fault");
  });
});

describe("the stdio program", () => {
  test("serves until its input ends, then ends with 0", async () => {
    const process = processWith("--allow-crash", "--tools", "2");
    process.input.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} } })}\n`,
    );
    process.input.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })}\n`);
    process.input.end(
      `${JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "crash" } })}\n`,
    );
    expect(await runStdio(process)).toBe(0);
    expect(process.lines).toEqual(["crashed"]);
    process.output.end();
    expect(await text(process.output)).toContain('"extra_00001"');
  });

  test("a flag that cannot be meant is one line and 1", async () => {
    const process = processWith("--era", "none");
    expect(await runStdio(process)).toBe(1);
    expect(process.lines).toEqual(["err --era must be modern, legacy or both, got none"]);
  });
});
