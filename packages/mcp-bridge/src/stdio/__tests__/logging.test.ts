import { META, type JsonObject, type LogLevel } from "@cortex-os/mcp-core/wire";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { ALL, serverOf } from "./surface.js";
import {
  callTool,
  closeLinks,
  expectNoProcessLeft,
  LEGACY_CALLER,
  linkTo,
  MODERN_CALLER,
  RecordingSink,
  toolCall,
  until,
} from "./support.js";

afterEach(closeLinks);
afterAll(() => expectNoProcessLeft());

const log = (level: string): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/message",
  params: { level, data: { strange: true } },
});
const legacy = (sessionKey: string, logLevel?: LogLevel): Caller => ({
  ...LEGACY_CALLER,
  sessionKey,
  ...(logLevel === undefined ? {} : { logLevel }),
});
const asking = (level: string): JsonObject => ({ [META.protocolVersion]: "2026-07-28", [META.logLevel]: level });

/** Calls that stay in flight, and what each of them hears. */
async function inFlight(under: Awaited<ReturnType<typeof serverOf>>, calls: readonly [Caller, JsonObject?][]) {
  const hangs = async (over: Parameters<typeof under.asked>[1]) =>
    (await under.asked("tools/call", over)).filter(({ name }) => name === "hang").length;
  const sinks: RecordingSink[] = [];
  for (const [caller, meta] of calls) {
    const sink = new RecordingSink();
    under.link.send(toolCall("hang", {}, { id: sinks.length, caller, ...(meta === undefined ? {} : { meta }) }), sink);
    sinks.push(sink);
    await until(async () => (await hangs({ caller })) > 0);
  }
  return sinks;
}

const heardBy = (sinks: readonly RecordingSink[]) =>
  sinks.map(({ notifications }) => notifications.map(({ params }) => params?.["level"]));

describe("from which level on a legacy child is told to log (R22)", () => {
  const levels = async ({ asked }: Awaited<ReturnType<typeof serverOf>>, caller: Caller) =>
    (await asked("logging/setLevel", { caller })).map(({ level }) => level);

  test("the shared one: what anybody wants, each level once; a modern call raises it, a legacy one does not", async () => {
    const under = await serverOf("legacy");
    for (const level of ["error", "error", "warning"] as const) under.link.setLogLevel(level);
    await callTool(under.under, "echo", { value: 1 }, { caller: legacy("a", "debug") });
    for (const level of ["critical", "info", "notice", "nonsense"])
      await callTool(under.under, "echo", { value: 1 }, { caller: MODERN_CALLER, meta: asking(level) });
    expect(await levels(under, LEGACY_CALLER)).toEqual(["error", "warning", "info"]);
  });

  test("a level that is set before the child runs is told once it does", async () => {
    const under = linkTo({ args: ["--capabilities", JSON.stringify(ALL)] });
    under.link.setLogLevel("notice");
    await under.open();
    const { text } = await callTool(under, "asked");
    expect(JSON.parse(text)).toMatchObject([{}, {}, { method: "logging/setLevel", params: { level: "notice" } }, {}]);
    await under.link.close();
    under.link.setLogLevel("debug");
  });

  test("a session's own: what the session set, before its call", async () => {
    const under = await serverOf("legacy", ALL, { isolation: "session" });
    under.link.setLogLevel("debug");
    for (const level of ["error", "error", "info", "critical"] as const)
      await callTool(under.under, "echo", { value: 1 }, { caller: legacy("a", level) });
    await callTool(under.under, "echo", { value: 1 }, { caller: legacy("b") });
    expect(await levels(under, legacy("a"))).toEqual(["error", "info", "critical"]);
    expect(await levels(under, legacy("b"))).toEqual([]);
  });

  test("a principal's: the most verbose of what its sessions set", async () => {
    const under = await serverOf("legacy", ALL, { isolation: "principal" });
    for (const [session, level] of [
      ["a", "error"],
      ["b", "info"],
      ["a", "error"],
    ] as const)
      await callTool(under.under, "echo", { value: 1 }, { caller: legacy(session, level) });
    expect(await levels(under, legacy("a"))).toEqual(["error", "info"]);
  });

  test("one that refuses is left alone, one that offers no logging is told nothing, and neither fails a call", async () => {
    const under = await serverOf("legacy");
    under.link.setLogLevel("alert");
    expect(await levels(under, LEGACY_CALLER)).toEqual(["alert"]);
    await until(() => under.logger.messages("debug").includes("The upstream did not take a log level"));
    const without = await serverOf("legacy", { tools: {} });
    without.link.setLogLevel("debug");
    expect(await levels(without, LEGACY_CALLER)).toEqual([]);
    const modern = await serverOf("modern");
    modern.link.setLogLevel("debug");
    expect(await levels(modern, LEGACY_CALLER)).toEqual([]);
  });
});

describe("whom a child's log messages reach (R22)", () => {
  test("the shared legacy one's: modern calls in flight that asked for the level, and the legacy sessions by what is told", async () => {
    const under = await serverOf("legacy");
    const sinks = await inFlight(under, [
      [MODERN_CALLER, asking("error")],
      [MODERN_CALLER, asking("debug")],
      [MODERN_CALLER],
      [legacy("a", "debug")],
    ]);
    await under.says([log("info"), log("error")], {}, { caller: legacy("b") });
    expect(heardBy(sinks)).toEqual([["error"], ["info", "error"], [], []]);
    expect(sinks[0]?.notifications).toEqual([log("error")]);
    expect(under.told).toEqual([[log("info")], [log("error")]]);
  });

  test("a modern one's: calls in flight that asked for the level, each in its own way, and nobody else", async () => {
    const under = await serverOf("modern");
    const sinks = await inFlight(under, [
      [MODERN_CALLER, asking("error")],
      [MODERN_CALLER],
      [legacy("a", "info")],
      [legacy("b")],
    ]);
    await under.says([log("info"), log("error")], {}, { caller: legacy("c") });
    expect(heardBy(sinks)).toEqual([["error"], [], ["info", "error"], []]);
    expect(under.told).toEqual([]);
    expect(
      (await under.asked("tools/call")).find(
        ({ name, _meta }) => name === "hang" && JSON.stringify(_meta ?? {}).includes('"info"'),
      ),
    ).toBeDefined();
  });

  test("a session's own: the session, by what is told", async () => {
    const under = await serverOf("legacy", ALL, { isolation: "session" });
    const sinks = await inFlight(under, [[legacy("a", "debug")], [legacy("b", "debug")]]);
    await under.says([log("info")], {}, { caller: legacy("a") });
    expect(heardBy(sinks)).toEqual([[], []]);
    expect(under.told).toEqual([[log("info"), "a"]]);
  });

  test("a principal's: its calls in flight that want the level, and no other session", async () => {
    const under = await serverOf("legacy", ALL, { isolation: "principal" });
    const sinks = await inFlight(under, [
      [legacy("a", "error")],
      [legacy("b")],
      [MODERN_CALLER, asking("debug")],
      [MODERN_CALLER],
    ]);
    await under.says(
      [log("info"), log("error"), { method: "notifications/com.example/x" }],
      {},
      { caller: legacy("c") },
    );
    expect(heardBy(sinks)).toEqual([["error"], ["info", "error"], ["info", "error"], []]);
    expect(under.told).toEqual([]);
  });

  test("a call that is over hears nothing any more", async () => {
    const under = await serverOf("modern");
    const [cancelled] = await inFlight(under, [[MODERN_CALLER, asking("debug")]]);
    const gone = new RecordingSink();
    under.link.send(toolCall("hang", {}, { caller: MODERN_CALLER, meta: asking("debug") }), gone).cancel();
    await under.says([log("error")]);
    expect([gone.notifications, cancelled?.notifications.length]).toEqual([[], 1]);
  });
});
