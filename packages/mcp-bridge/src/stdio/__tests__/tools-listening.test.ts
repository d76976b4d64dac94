import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { Channel } from "../channel.js";
import { ToolsListening } from "../tools-listening.js";

function listeningUnderTest(takes: () => boolean = () => true): {
  listening: ToolsListening;
  time: ManualTime;
  logger: RecordingLogger;
  asked: () => JsonObject[];
  say: (message: object) => void;
  changes: () => number;
} {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const written: JsonObject[] = [];
  let changes = 0;
  const channel: Channel = new Channel({
    ...{ connectorId: "demo", timers: time, logger, redact: (text) => text },
    write: (line) => {
      if (!takes()) return undefined;
      written.push(JSON.parse(line) as JsonObject);
      return { withdraw: () => false };
    },
    onNotification: (notification: JsonRpcNotification) => listening.onNotification(notification),
  });
  const listening: ToolsListening = new ToolsListening({
    ...{ connectorId: "demo", channel, meta: { m: 1 }, timers: time, random: fixedRandom(0.5), logger },
    onListChanged: () => {
      changes += 1;
    },
  });
  const say = (message: object): void => channel.accept(JSON.stringify({ jsonrpc: "2.0", ...message }), 1);
  return { listening, time, logger, asked: () => written, say, changes: () => changes };
}

const about = (id: number, more: JsonObject = {}): JsonObject => ({ _meta: { [META.subscriptionId]: id }, ...more });
const acknowledged = (id: number, toolsListChanged = true): object => ({
  method: "notifications/subscriptions/acknowledged",
  params: about(id, { notifications: toolsListChanged ? { toolsListChanged } : {} }),
});
const changed = (id: number): object => ({ method: "notifications/tools/list_changed", params: about(id) });

describe("listening for changes of a modern server's tools (2026-07-28, Subscriptions)", () => {
  test("asks for nothing but tools, and hears only what its own subscription says", () => {
    const { listening, asked, say, changes } = listeningUnderTest();
    listening.start();
    expect(asked()).toMatchObject([
      { id: 1, method: "subscriptions/listen", params: { _meta: { m: 1 }, notifications: { toolsListChanged: true } } },
    ]);
    say(acknowledged(1));
    say(changed(2));
    say({ method: "notifications/tools/list_changed" });
    expect(changes()).toBe(0);
    say(changed(1));
    say({ method: "notifications/progress", params: { progressToken: 1, progress: 1 } });
    expect(changes()).toBe(1);
  });

  test("opens again with growing delays, and the acknowledgement of a new one counts as a change and resets them", async () => {
    const { listening, time, asked, say, changes } = listeningUnderTest();
    listening.start();
    for (const [id, delayMs] of [
      [1, 500],
      [2, 1_000],
      [3, 2_000],
    ] as const) {
      say({ id, result: {} });
      expect(time.delays).toEqual([delayMs]);
      await time.advance(delayMs);
      expect(asked()).toHaveLength(id + 1);
    }
    expect(changes()).toBe(0);
    say(acknowledged(4));
    expect(changes()).toBe(1);
    say({ id: 4, result: {} });
    expect(time.delays).toEqual([500]);
  });

  test("a subscription that is torn down twice is opened again once", async () => {
    const { listening, time, asked, say } = listeningUnderTest();
    listening.start();
    say({ method: "notifications/cancelled", params: { requestId: 1 } });
    say({ method: "notifications/cancelled", params: { requestId: 1 } });
    say({ id: 1, result: {} });
    await time.advance(10_000);
    expect(asked()).toHaveLength(2);
  });

  test("a server that does not read is asked again later", async () => {
    let reads = false;
    const { listening, time, asked, say, changes } = listeningUnderTest(() => reads);
    listening.start();
    reads = true;
    expect(time.delays).toEqual([500]);
    await time.advance(500);
    expect(asked()).toHaveLength(1);
    say(acknowledged(2));
    expect(changes()).toBe(1);
  });

  test("a server that refuses is not asked again, one that grants nothing is noted", () => {
    const refused = listeningUnderTest();
    refused.listening.start();
    refused.say({ id: 1, error: { code: -32_603, message: "limit" } });
    expect(refused.time.pending).toBe(0);
    expect(refused.logger.lines).toMatchObject([{ level: "warn", fields: { connectorId: "demo", code: -32_603 } }]);
    const nothing = listeningUnderTest();
    nothing.listening.start();
    nothing.say(acknowledged(1, false));
    expect(nothing.logger.messages("debug")).toEqual(["Connector will not tell of changes of its tools"]);
  });

  test("says whether a change would be heard of: from the grant until the subscription ends", async () => {
    const { listening, time, say } = listeningUnderTest();
    listening.start();
    expect(listening.hears).toBe(false);
    say(acknowledged(1, false));
    expect(listening.hears).toBe(false);
    say(changed(1));
    expect(listening.hears).toBe(true);
    say({ id: 1, result: {} });
    expect(listening.hears).toBe(false);
    await time.advance(500);
    say(acknowledged(2));
    expect(listening.hears).toBe(true);
    say({ id: 2, error: { code: -32_603, message: "over" } });
    expect(listening.hears).toBe(false);
    await time.advance(100_000);
    const stopped = listeningUnderTest();
    stopped.listening.start();
    stopped.say(acknowledged(1));
    stopped.listening.stop();
    expect(stopped.listening.hears).toBe(false);
  });

  test("hears nothing after it was stopped, and opens nothing", async () => {
    const { listening, time, asked, say, changes } = listeningUnderTest();
    listening.start();
    say({ id: 1, result: {} });
    listening.stop();
    listening.stop();
    await time.advance(100_000);
    say(changed(1));
    say({ method: "notifications/cancelled", params: { requestId: 1 } });
    expect([asked().length, changes(), time.pending]).toEqual([1, 0, 0]);
  });
});
