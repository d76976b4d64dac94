import { RecordingLogger, ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import type { UpstreamCall } from "../../runtime/exchange.js";
import { Channel } from "../channel.js";
import { ClientCall } from "../client-call.js";
import { Lane, type PeerEvents } from "../lane.js";
import { LaneQuestions } from "../lane-questions.js";

const MIB = 1024 * 1024;
const CALLER = { era: "legacy", revision: "2025-11-25", principal: "p", sessionKey: "a", capabilities: { roots: {} } };
const CALL = { id: 1, method: "tools/call", params: {}, caller: CALLER } as UpstreamCall;

function channel(sent: JsonObject[] = []): Channel {
  const queued = { withdraw: () => false };
  return new Channel({
    connectorId: "c",
    logger: new RecordingLogger(),
    redact: (text) => text,
    output: "stdout",
    timers: new ManualTime(),
    monotonic: new ManualTime(),
    write: (line) => {
      sent.push(JSON.parse(line));
      return queued;
    },
    onNotification: () => {},
    onRequest: () => {},
  });
}

describe("what is held of what a peer asks (R22)", () => {
  test("of an elicitation the client, unless its id is longer than any that makes sense", () => {
    const questions = new LaneQuestions({
      timers: new ManualTime(),
      channel: channel(),
      owner: { kind: "all" },
      maxMs: 1_000,
      inFlight: () => [],
      askSession: () => undefined,
      onAmbiguous: () => {},
    });
    const [kept, long] = ["e".repeat(1_024), "e".repeat(1_025)];
    const elicitations = [{ elicitationId: kept }, { elicitationId: long }];
    const call = new ClientCall(CALL, new RecordingSink(), () => {});
    questions.answeredWith({ code: -32_042, message: "first", data: { elicitations } }, call);
    expect(questions.completed({ elicitationId: long })).toBeUndefined();
    expect(questions.completed({ elicitationId: kept })).toBe("a");
    expect(questions.completed({ elicitationId: kept })).toBeUndefined();
  });

  test("while its lane is not open yet, no more than one question may have", async () => {
    const sent: JsonObject[] = [];
    let events: PeerEvents | undefined;
    const facts = { era: "legacy", revision: "2025-11-25", capabilities: {}, detectedAt: "now" } as const;
    const peer = { channel: channel(sent), retire: () => {}, stop: async () => {} };
    const asked: string[] = [];
    const lane = new Lane({
      logger: new RecordingLogger(),
      timers: new ManualTime(),
      open: async (heard) => {
        events = heard;
        for (const id of [1, 2, 3])
          heard.onRequest({ jsonrpc: "2.0", id, method: "roots/list" }, id === 3 ? 1 : 3 * MIB);
        return { peer, facts };
      },
      callBounds: { idleMs: 1_000, maxMs: 1_000 },
      levelMs: 1_000,
      owner: { kind: "session", sessionKey: "a", client: CALL.caller },
      askSession: (_, { method }) => {
        asked.push(method);
        return { withdraw: () => {} };
      },
      onNotification: () => {},
      onEnded: () => {},
    });
    await lane.open();
    expect(events).toBeDefined();
    expect([asked.length, sent]).toEqual([2, []]);
  });
});
