import { describe, expect, test, vi } from "vitest";
import type { JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { DEFAULT_EVENT_LOG_LIMITS } from "../event-log.js";
import { EventClient } from "./event-client.js";
import { KEEP_MS, note, PRIMED, said, UNPRIMED, type SinkOptions } from "./resumed-set-up.js";
import { startSink } from "./sink-set-up.js";

failOnLeaks();

const CHANGED = (feature: string): string =>
  JSON.stringify({ jsonrpc: "2.0", method: `notifications/${feature}/list_changed` });
const UPDATED = (uri: string): string =>
  JSON.stringify({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } });

/** A session and its GET stream, which is open. */
async function listening(options: SinkOptions = PRIMED) {
  const set = await startSink(() => {}, options);
  const { session } = set;
  if (session === undefined) throw new Error("no session");
  const open = (lastEventId?: string): EventClient => new EventClient(set.port, lastEventId, "GET");
  const client = open();
  await client.until(() => session.isListening);
  /** The connection breaks, and the gateway notices. */
  const cut = async (): Promise<void> => {
    client.close();
    await vi.waitFor(() => expect(session.isListening).toBe(false));
  };
  return { ...set, session, client, open, cut };
}

describe("a session's GET stream (2025-11-25, Listening and Resumability)", () => {
  test("begins with an event that only has an id, and has ids", async () => {
    const { session, client } = await listening();
    session.listChanged("tools");
    await client.untilData(1);
    expect(client.events.map(({ id, data }) => [id?.slice(17), data])).toEqual([
      ["0.0", ""],
      ["0.1", CHANGED("tools")],
    ]);
  });

  test("has no empty events for older clients", async () => {
    const { session, client } = await listening(UNPRIMED);
    session.listChanged("tools");
    await client.untilData(1);
    expect(client.events.map(({ id }) => id?.slice(17))).toEqual(["0.1"]);
  });

  test("says again what a client missed on the connection that broke, and then what came meanwhile, each once", async () => {
    const { session, client, open, cut } = await listening();
    session.notify(note(1));
    session.notify(note(2));
    await client.untilData(2);
    await cut();
    for (const feature of ["tools", "prompts", "tools"] as const) session.listChanged(feature);
    session.resourceUpdated({ uri: "a:b" });
    const again = await open(client.events[1]?.id).untilData(4);
    session.notify(note(3));
    await again.untilData(5);
    expect(again.data).toEqual([...said(2), CHANGED("tools"), CHANGED("prompts"), UPDATED("a:b"), ...said(3)]);
    const third = await open(again.events.at(-2)?.id).untilData(1);
    expect(third.data).toEqual(said(3));
  });

  test("says after a question that it needs no answer any more, also when that came about meanwhile", async () => {
    const { session, client, open, cut } = await listening();
    const asked = session.ask({ method: "roots/list", params: undefined, onAnswer: () => {}, onProgress: () => {} });
    await client.untilData(1);
    await cut();
    asked?.withdraw("the call that it was asked for is over");
    const again = await open(client.events[0]?.id).untilData(2);
    const [question, withdrawn] = again.data.map((data): Partial<JsonRpcRequest> => JSON.parse(data));
    expect(withdrawn).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: question?.id },
    });
  });

  test("is taken over by who says an id of it, because its client may know sooner than we that it broke", async () => {
    const { session, client, open } = await listening();
    const again = open(client.lastId);
    await client.untilOver();
    expect([client.isWhole, session.isListening]).toEqual([false, true]);
    session.notify(note(1));
    await again.untilData(1);
    expect(again.data).toEqual(said(1));
    expect(client.data).toEqual([]);
  });

  test("is not taken by who knows the session's id and nothing else (CVE-2026-33946)", async () => {
    const { session, client, open } = await listening();
    expect((await open().untilOver()).status).toBe(409);
    for (const id of ["0.0", "AAAAAAAAAAAAAAAA.0.0", client.lastId.replace(/0$/, "1")])
      expect((await open(id).untilOver()).status).toBe(400);
    session.notify(note(1));
    await client.untilData(1);
    expect(client.isOver).toBe(false);
  });

  test("a client that comes back too late is told that everything may have changed, instead of being left behind", async () => {
    const { session, client, open, cut, time } = await listening();
    session.watches.set("a:b", () => {});
    session.notify(note(1));
    await client.untilData(1);
    await cut();
    await time.advance(KEEP_MS);
    expect(time.pending).toBe(0);
    const again = await open(client.events[0]?.id).untilData(4);
    expect(again.data).toEqual([CHANGED("tools"), CHANGED("resources"), CHANGED("prompts"), UPDATED("a:b")]);
    // Where nothing was said after the event it names, nothing was missed.
    const third = open(again.lastId);
    await third.until(() => third.events.length === 1);
    session.notify(note(2));
    expect((await third.untilData(1)).data).toEqual(said(2));
  });

  test("is told so too when more was said than is held", async () => {
    const limits = { ...DEFAULT_EVENT_LOG_LIMITS, standingBytes: 5_000 };
    const { session, client, open, cut } = await listening({ ...PRIMED, streams: { limits } });
    for (let n = 1; n <= 10; n += 1) session.notify(note(n));
    await client.untilData(10);
    await cut();
    const again = await open(client.events[1]?.id).untilData(3);
    expect(again.data).toEqual([CHANGED("tools"), CHANGED("resources"), CHANGED("prompts")]);
    session.end("over");
  });

  test("goes on counting for a client that opens it anew", async () => {
    const { session, client, open, cut } = await listening();
    session.notify(note(1));
    await client.untilData(1);
    await cut();
    const fresh = open();
    await fresh.until(() => fresh.events.length === 1);
    session.notify(note(2));
    await fresh.untilData(1);
    expect(fresh.events.map(({ id }) => id?.slice(17))).toEqual(["0.1", "0.2"]);
  });

  test("what cannot be encoded, because an upstream nested it too deeply, is dropped", async () => {
    const { session, client } = await listening();
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`);
    session.notify({ jsonrpc: "2.0", method: "n", params: { deep } as never });
    session.notify(note(1));
    expect((await client.untilData(1)).data).toEqual(said(1));
  });

  test("ends with its session, and nothing of it is kept", async () => {
    const { session, client, open, time } = await listening();
    session.notify(note(1));
    await client.untilData(1);
    session.end("over");
    await client.untilOver();
    expect([client.isWhole, time.pending]).toEqual([true, 0]);
    expect((await open("x").untilOver()).status).toBe(400);
  });
});
