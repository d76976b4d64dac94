import { ManualTime } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject, type LogLevel } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import {
  DISCOVERED,
  failure,
  json,
  legacy,
  modern,
  result,
  stream,
  upstream,
  type ScriptedUpstream,
  type Script,
} from "./scripted-upstream.js";

const LOGS = { tools: {}, logging: {} };
const log = (level: string): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { level, logger: "db", data: { any: ["thing"] }, more: true },
});
const agrees: Script = (seen, res) => json(res, 200, result(seen, {}));

/** What each session was told, in order. */
const levelsOf = (server: ScriptedUpstream): [unknown, unknown][] =>
  server
    .of("logging/setLevel")
    .map(({ headers, message }) => [headers["mcp-session-id"], (message["params"] as JsonObject)["level"]]);

async function logging(
  calls: Script = agrees,
  sessions: Set<string> | "none" = new Set(),
  capabilities: JsonObject = LOGS,
) {
  const server = await upstream(legacy(calls, { capabilities, ...(sessions === "none" ? {} : { sessions }) }));
  const under = await openLink(server.url);
  const call = async (caller: Caller, level?: LogLevel, id = 7) => {
    const sink = new RecordingSink();
    const isModern = caller.era === "modern";
    const meta = isModern && level !== undefined ? { [META.logLevel]: level } : {};
    const who = isModern || level === undefined ? caller : { ...caller, logLevel: level };
    under.link.send(toolCall(who, id, meta), sink);
    return sink.done;
  };
  return { ...under, server, call };
}

describe("from which level on a legacy upstream is told to log (R22)", () => {
  test("the gateway's own session: what anybody wants, each level once, before and after it was opened anew", async () => {
    const sessions = new Set<string>();
    const { link, server } = await logging(agrees, sessions);
    for (const level of ["warning", "warning", "debug"] as const) link.setLogLevel(level);
    await vi.waitFor(() =>
      expect(levelsOf(server)).toEqual([
        ["session-1", "warning"],
        ["session-1", "debug"],
      ]),
    );
    sessions.clear();
    await link.request("tools/list", {}, { timeoutMs: 1_000, maxBytes: 1_000 });
    await vi.waitFor(() => expect(levelsOf(server).slice(2)).toEqual([["session-2", "debug"]]));
  });

  test("a level that is set before the link is open is told once it is", async () => {
    const server = await upstream(legacy(agrees, { sessions: new Set(), capabilities: LOGS }));
    const { make } = await openLink(server.url);
    const late = make();
    late.setLogLevel("info");
    await late.open(new AbortController().signal);
    await vi.waitFor(() => expect(levelsOf(server)).toEqual([["session-2", "info"]]));
    await late.close();
    late.setLogLevel("debug");
    expect(levelsOf(server)).toHaveLength(1);
  });

  test("a client's own session: what the client set, before its call, and again only when it differs", async () => {
    const sessions = new Set<string>();
    const { server, call } = await logging(agrees, sessions);
    await call(LEGACY_CALLER, "debug", 1);
    await Promise.all([call(LEGACY_CALLER, "debug", 2), call(LEGACY_CALLER, undefined, 3)]);
    await call(LEGACY_CALLER, "error", 4);
    expect(levelsOf(server)).toEqual([
      ["session-2", "debug"],
      ["session-2", "error"],
    ]);
    const sent = server.methods.filter((method) => method === "logging/setLevel" || method === "tools/call");
    expect(sent).toEqual([
      "logging/setLevel",
      "tools/call",
      "tools/call",
      "tools/call",
      "logging/setLevel",
      "tools/call",
    ]);
    sessions.clear();
    expect((await call(LEGACY_CALLER, "error", 5)).body).toMatchObject({ id: 5, result: {} });
    expect(levelsOf(server).at(-1)).toEqual(["session-3", "error"]);
  });

  test("calls that come together wait for the same telling", async () => {
    const held: (() => void)[] = [];
    const { server, call } = await logging((seen, res) => {
      if (seen.method === "logging/setLevel") held.push(() => json(res, 200, result(seen, {})));
      else agrees(seen, res);
    });
    const calls = [call(LEGACY_CALLER, "debug", 1), call(LEGACY_CALLER, "debug", 2)];
    await vi.waitFor(() => expect(held).toHaveLength(1));
    expect(server.methods).not.toContain("tools/call");
    held[0]?.();
    await Promise.all(calls);
    expect(levelsOf(server)).toHaveLength(1);
  });

  test("a session that modern calls share is only ever told more", async () => {
    const { server, call } = await logging();
    const levels: (LogLevel | undefined)[] = ["error", "info", "warning", "nonsense" as LogLevel, undefined];
    for (const level of levels) await call(MODERN_CALLER, level);
    expect(levelsOf(server)).toEqual([
      ["session-2", "error"],
      ["session-2", "info"],
    ]);
    await call({ era: "legacy", revision: "2025-06-18", principal: "anna" }, "debug");
    expect(levelsOf(server).at(-1)).toEqual(["session-2", "debug"]);
  });

  test("an upstream without sessions has the gateway's own", async () => {
    const { server, call } = await logging(agrees, "none");
    await call(MODERN_CALLER, "info");
    await call(LEGACY_CALLER, "debug");
    expect(levelsOf(server)).toEqual([
      [undefined, "info"],
      [undefined, "debug"],
    ]);
  });

  test("one that does not offer logging is told nothing", async () => {
    const { link, server, call } = await logging(agrees, new Set(), { tools: {} });
    link.setLogLevel("debug");
    await call(LEGACY_CALLER, "debug");
    await call(MODERN_CALLER, "debug");
    expect(levelsOf(server)).toEqual([]);
  });

  test("a refusal is logged and is no failure of the call", async () => {
    const { server, call, logger } = await logging((seen, res) => {
      if (seen.method === "logging/setLevel") json(res, 200, failure(seen, -32_602, "no such level"));
      else agrees(seen, res);
    });
    expect((await call(LEGACY_CALLER, "debug", 1)).endings).toEqual(["end"]);
    expect((await call(LEGACY_CALLER, "debug", 2)).endings).toEqual(["end"]);
    expect(levelsOf(server)).toHaveLength(1);
    expect(logger.messages("debug")).toContain("The upstream did not take a log level");
  });

  test("a call waits no longer than two seconds for it, and may be cancelled meanwhile", async () => {
    const time = new ManualTime();
    const server = await upstream(
      legacy((seen, res) => (seen.method === "logging/setLevel" ? undefined : agrees(seen, res)), {
        sessions: new Set(),
        capabilities: LOGS,
      }),
    );
    const { link } = await openLink(server.url, { time });
    const [sink, gone] = [new RecordingSink(), new RecordingSink()];
    link.send(toolCall({ ...LEGACY_CALLER, logLevel: "debug" }, 1), sink);
    link.send(toolCall({ ...LEGACY_CALLER, logLevel: "debug" }, 2), gone).cancel();
    await vi.waitFor(() => expect(levelsOf(server)).toHaveLength(1));
    await time.advance(2_000);
    await sink.done;
    expect([sink.endings, gone.endings, server.of("tools/call").length]).toEqual([["end"], [], 1]);
  });
});

describe("log messages that come with an answer (2026-07-28, Logging)", () => {
  const logsAll: Script = (seen, res) =>
    seen.method === "tools/call"
      ? stream(res, log("debug"), log("error"), log("strange"), result(seen, {}))
      : agrees(seen, res);
  const sessionless: Caller = { era: "legacy", revision: "2025-06-18", principal: "anna" };

  test.each<[string, Caller, LogLevel | undefined, string[]]>([
    ["a modern call that asked for none", MODERN_CALLER, undefined, []],
    ["a modern call that asked for errors", MODERN_CALLER, "error", ["error", "strange"]],
    ["a modern call that asked for something unknown", MODERN_CALLER, "loud" as LogLevel, []],
    ["a legacy client that set nothing", sessionless, undefined, ["debug", "error", "strange"]],
    ["a legacy client that set a level", sessionless, "warning", ["error", "strange"]],
  ])("%s gets what it wants, unchanged", async (_, caller, level, wanted) => {
    const { call, told } = await logging(logsAll);
    expect((await call(caller, level)).notifications).toEqual(wanted.map(log));
    expect(told).toEqual([]);
  });

  test("a legacy client with a session of its own gets the bytes", async () => {
    const { call } = await logging(logsAll);
    expect((await call(LEGACY_CALLER, "error")).messages.slice(0, 3)).toEqual(["debug", "error", "strange"].map(log));
  });

  test("a legacy client's level goes to a modern upstream with each request, and holds for what comes back", async () => {
    const server = await upstream(modern(logsAll, { ...DISCOVERED, capabilities: LOGS }));
    const { link } = await openLink(server.url);
    link.setLogLevel("debug");
    const sink = new RecordingSink();
    link.send(toolCall({ ...LEGACY_CALLER, logLevel: "error" }), sink);
    await sink.done;
    expect(sink.notifications).toEqual(["error", "strange"].map(log));
    expect(server.of("tools/call")[0]?.message["params"]).toMatchObject({ _meta: { [META.logLevel]: "error" } });
    expect(server.methods).not.toContain("logging/setLevel");
  });

  test("those that come on the gateway's own stream are told, whatever their level", async () => {
    const server = await upstream(
      legacy(agrees, { sessions: new Set(), capabilities: LOGS, get: (_, res) => stream(res, log("debug")) }),
    );
    const { told, link } = await openLink(server.url, { time: new ManualTime() });
    await vi.waitFor(() => expect(told).toEqual([[log("debug")]]));
    expect(link.hearsChanges).toBe(false);
  });
});
