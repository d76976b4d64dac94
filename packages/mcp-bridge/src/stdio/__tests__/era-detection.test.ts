import { readFile } from "node:fs/promises";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { isJsonObject, META, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";
import { afterEach, describe, expect, test } from "vitest";
import type { UpstreamFacts } from "../../link.js";
import {
  callTool,
  closeLinks,
  drive,
  expectNoProcessLeft,
  linkTo,
  markedProcesses,
  MODERN_CALLER,
  until,
  withFolder,
  type LinkSetup,
} from "./support.js";

afterEach(async () => {
  await closeLinks();
  await expectNoProcessLeft();
});

const QUICK = { soundMs: 50, maxMs: 100 };
/** For servers that answer: however slow the machine is, they are not taken for silent ones. */
const PATIENT = { soundMs: 20_000, maxMs: 20_000 };
const patienceFor = (args: readonly string[]): typeof QUICK => (args.includes("--silent") ? QUICK : PATIENT);
const LEGACY_FACTS: UpstreamFacts = {
  era: "legacy",
  revision: "2025-06-18",
  capabilities: {},
  detectedAt: "2026-01-01T00:00:00.000Z",
};
const MODERN_FACTS: UpstreamFacts = { ...LEGACY_FACTS, era: "modern", revision: "2026-07-28" };

/** Opens a link and tells the facts and the methods that reached the server, over all its starts, notifications included. */
async function detect(setup: LinkSetup): Promise<{ facts: UpstreamFacts; methods: unknown[]; messages: JsonObject[] }> {
  return withFolder(async (folder) => {
    const journal = path.join(folder, "journal");
    const { open, link } = linkTo({ ...setup, args: [...(setup.args ?? []), "--journal", journal] });
    const facts = await open();
    // The last message may be a notification: an answered request proves that all before it were read.
    await link.request(facts.era === "modern" ? "tools/list" : "ping", {}, { timeoutMs: 10_000, maxBytes: 10_000 });
    const text = await readFile(journal, "utf8");
    const messages = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonValue)
      .filter(isJsonObject);
    const methods = messages
      .map(({ method }) => method)
      .filter((method) => method !== "ping" && method !== "tools/list");
    return { facts, methods, messages };
  });
}

describe("detecting the era over stdio (R8; 2026-07-28, stdio, Backward Compatibility)", () => {
  test("a server that discovers itself is modern, and is listened to", async () => {
    const { facts, methods, messages } = await detect({
      args: ["--era", "modern"],
      clientInfo: { name: "us", version: "9" },
    });
    expect(facts).toMatchObject({
      era: "modern",
      revision: "2026-07-28",
      serverInfo: { name: "scripted", version: "1.0.0" },
      capabilities: { tools: { listChanged: true } },
      instructions: "Be kind.",
    });
    expect(Date.parse(facts.detectedAt)).toBeGreaterThan(0);
    expect(methods).toEqual(["server/discover", "subscriptions/listen"]);
    const meta = {
      [META.protocolVersion]: "2026-07-28",
      [META.clientInfo]: { name: "us", version: "9" },
      [META.clientCapabilities]: {},
    };
    for (const message of messages) expect(message["params"]).toMatchObject({ _meta: meta });
  });

  test("a dual-era server is spoken to in the modern way", async () => {
    const { facts, methods } = await detect({ args: ["--era", "both"] });
    expect(facts.era).toBe("modern");
    expect(methods).not.toContain("initialize");
  });

  test.each<[string, string[]]>([
    ["does not know the method", []],
    ["answers with an error of its own", ["--discover-error", '{"code":-32000,"message":"not initialized"}']],
    ["says nothing at all", ["--silent"]],
    ["dies of the question, and is started again", ["--dies-of-probe"]],
    [
      "lists only legacy revisions as supported",
      ["--discover-error", '{"code":-32022,"message":"v","data":{"supported":["2025-11-25"]}}'],
    ],
  ])("a server that %s is legacy", async (_, args) => {
    const { facts, methods, messages } = await detect({ args, options: { patience: patienceFor(args) } });
    expect(facts).toMatchObject({
      era: "legacy",
      revision: "2025-11-25",
      serverInfo: { name: "scripted" },
      instructions: "Be kind.",
    });
    expect(methods).toEqual(["server/discover", "initialize", "notifications/initialized"]);
    expect(messages[1]).toMatchObject({
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "cortex-mcp" } },
    });
  });

  test("silence is measured from the first output on: a server that takes long to start is not taken for a legacy one", async () => {
    const args = ["--era", "both", "--starts-after", "400"];
    const { facts } = await detect({ args, options: { patience: { soundMs: 50, maxMs: 10_000 } } });
    expect(facts.era).toBe("modern");
  });

  test("a modern server that is slower than all patience refuses initialize, and its late answer counts", async () => {
    const { facts, methods } = await detect({
      args: ["--era", "modern", "--starts-after", "400"],
      options: { patience: QUICK },
    });
    expect(facts.era).toBe("modern");
    expect(methods).toEqual(["server/discover", "initialize", "subscriptions/listen"]);
  });

  test("a dual-era server that was given up on is legacy, because initialize has settled it", async () => {
    const { facts } = await detect({ args: ["--era", "both", "--starts-after", "400"], options: { patience: QUICK } });
    expect(facts.era).toBe("legacy");
  });

  test("the default patience waits 1.5 s after the first output and 5 s in all (config)", async () => {
    const time = new ManualTime();
    const { open } = linkTo({ args: ["--silent", "--says", "hello"], time });
    const opening = open();
    await until(() => time.delays.includes(1_500));
    expect(time.delays).toContain(5_000);
    expect((await drive(time, opening, 100)).era).toBe("legacy");
  });

  test.each<[string, string[], RegExp]>([
    [
      "a modern server without a common revision",
      ["--era", "modern", "--revisions", "2099-01-01"],
      /none of our revisions, only \["2099-01-01"\]/,
    ],
    [
      "a legacy server of an unknown revision",
      ["--revisions", "1999-01-01"],
      /protocolVersion "1999-01-01", which the gateway does not speak/,
    ],
    [
      "a server that refuses both",
      ["--refuse-initialize", "go\naway"],
      /refused initialize \(upstream text: "go away"\)/,
    ],
    ["a silent server that refuses initialize", ["--silent", "--refuse-initialize", "no"], /refused initialize/],
    [
      "one that lists what it does not answer in",
      ["--discover-error", '{"code":-32022,"message":"v","data":{"supported":["2026-07-28"]}}'],
      /refuses revision/,
    ],
  ])("%s is refused with a reason, and no process is left", async (_, args, reason) => {
    const { open, link, lost } = linkTo({ args, options: { patience: patienceFor(args) } });
    await expect(open()).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL", message: expect.stringMatching(reason) });
    expect(await markedProcesses()).toEqual([]);
    expect(lost).toEqual([]);
    await expect(link.request("tools/list", {}, { timeoutMs: 1, maxBytes: 1 })).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
    });
  });
});

describe("a remembered era (R8)", () => {
  test("legacy saves the probe", async () => {
    const { facts, methods } = await detect({ prior: LEGACY_FACTS });
    expect(methods).toEqual(["initialize", "notifications/initialized"]);
    expect(facts.detectedAt).not.toBe(LEGACY_FACTS.detectedAt);
  });

  test("modern is verified with more patience, and never offered initialize by mistake", async () => {
    const setup = { args: ["--era", "both", "--starts-after", "400"], options: { patience: QUICK } };
    const { facts, methods } = await detect({ ...setup, prior: MODERN_FACTS });
    expect(facts.era).toBe("modern");
    expect(methods).toEqual(["server/discover", "subscriptions/listen"]);
  });

  test("that is wrong leads to a fresh probe: legacy became modern", async () => {
    const { facts, methods } = await detect({ args: ["--era", "modern"], prior: LEGACY_FACTS });
    expect(facts.era).toBe("modern");
    expect(methods).toEqual(["initialize", "server/discover", "subscriptions/listen"]);
  });

  test("that is wrong leads to a fresh probe: modern became legacy", async () => {
    const { facts, methods } = await detect({ prior: MODERN_FACTS });
    expect(facts.era).toBe("legacy");
    expect(methods).toEqual(["server/discover", "initialize", "notifications/initialized"]);
  });
});

describe("a start that fails", () => {
  test.each([
    [
      "dies at once",
      ["--exits-at-once", "9", "--says", "no such database"],
      'its last line on stderr: "no such database"',
    ],
    ["dies at once although it was legacy", ["--exits-at-once", "9"], undefined],
  ])("because the server %s names exit and, for operators, last words", async (name, args, detail) => {
    const { open } = linkTo({ args, ...(name.includes("was legacy") ? { prior: LEGACY_FACTS } : {}) });
    await expect(open()).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "demo": its process exited with code 9',
      detail,
    });
    expect(await markedProcesses()).toEqual([]);
  });

  test("because the command does not exist names it", async () => {
    const { open } = linkTo({ command: "no-such-command" });
    await expect(open()).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "demo": command "no-such-command" was not found on PATH: install it, or give its full path',
    });
  });

  test("because nothing is answered in time kills the server and says so", async () => {
    const args = ["--starts-after", "1000000", "--says", "still loading", "--ignore-eof"];
    const time = new ManualTime();
    const { open } = linkTo({
      args,
      time,
      timeouts: { startMs: 400 },
      options: { patience: QUICK, graceMs: 1_000_000 },
    });
    const opening = open();
    const outcome = expect(opening).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: 'Connector "demo": it did not answer within 400 ms of being started',
      detail: 'its last line on stderr: "still loading"',
    });
    // However slow the machine is, the time starts when the server has said what it says.
    await until(() => time.delays.some((delayMs) => delayMs === QUICK.soundMs));
    await drive(
      time,
      opening.catch(() => {}),
      100,
    );
    await outcome;
    expect(await markedProcesses()).toEqual([]);
  });

  test("because it was cancelled leaves nothing, before and during the start", async () => {
    const early = linkTo();
    await expect(early.open(AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    const late = linkTo({ args: ["--starts-after", "1000000", "--ignore-eof"] });
    const abort = new AbortController();
    const opening = late.open(abort.signal);
    await until(async () => (await markedProcesses()).length > 0);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await markedProcesses()).toEqual([]);
  });

  test("because the link was closed meanwhile leaves nothing", async () => {
    const { open, link, lost } = linkTo({ args: ["--starts-after", "1000000", "--ignore-eof"] });
    const opening = open();
    const outcome = expect(opening).rejects.toMatchObject({
      code: expect.stringMatching(/CANCELLED|UPSTREAM_UNAVAILABLE/),
    });
    await link.close();
    await outcome;
    expect(await markedProcesses()).toEqual([]);
    expect(lost).toEqual([]);
    await expect(open()).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("being closed"),
    });
  });

  test("a second open of one link is a mistake of ours", async () => {
    const { open } = linkTo();
    await open();
    await expect(open()).rejects.toMatchObject({ code: "INTERNAL" });
  });

  test("a modern caller cannot tell that a server had to be started twice", async () => {
    const under = linkTo({ args: ["--dies-of-probe"] });
    await under.open();
    const sink = await callTool(under, "echo", { value: "hi" }, { caller: MODERN_CALLER });
    expect(sink.response).toEqual({
      jsonrpc: "2.0",
      id: 1,
      result: { resultType: "complete", content: [{ type: "text", text: "hi" }] },
    });
  });
});
