import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { type ClientSession, type NotificationStream } from "../client-session.js";
import { DEFAULT_SESSION_LIMITS, SessionStore, type SessionLimits } from "../session-store.js";
import { fakeScope } from "./fake-scope.js";

const SCOPE = fakeScope();

const CALLER = { era: "legacy", revision: "2025-11-25", principal: "anonymous" } as const;
const LIST_CHANGED = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };

class TestStream implements NotificationStream {
  readonly told: object[] = [];
  ended = 0;

  notify(notification: object): void {
    this.told.push(notification);
  }

  end(): void {
    this.ended += 1;
  }
}

function setUp(limits: Partial<SessionLimits> = {}) {
  const time = new ManualTime();
  const ended: ClientSession[] = [];
  const sessions = new SessionStore({
    monotonic: time,
    timers: time,
    limits: { ...DEFAULT_SESSION_LIMITS, ...limits },
    onEnd: (session) => ended.push(session),
  });
  return { time, sessions, ended, create: () => sessions.create(SCOPE, CALLER) };
}

const HOUR = 3_600_000;

describe("the session store", () => {
  test("gives each session an id of 256 random bits in visible ASCII, which is also its key for upstreams", () => {
    const { create } = setUp();
    const sessions = Array.from({ length: 1_000 }, create);
    const ids = new Set(sessions.map(({ id }) => id));
    expect(ids.size).toBe(1_000);
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(id, "base64url")).toHaveLength(32);
    }
    const bits = sessions.flatMap(({ id }) => [...Buffer.from(id, "base64url")]);
    const ones = bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    expect(Math.abs(ones / (bits.length * 8) - 0.5)).toBeLessThan(0.01);
    expect(sessions[0]?.caller).toEqual({ ...CALLER, sessionKey: sessions[0]?.id });
  });

  test("knows no other id: none that was guessed, cut, changed in case, emptied or ended", () => {
    const { sessions, create, ended } = setUp();
    const session = create();
    const { id } = session;
    const guesses = ["", id.slice(1), `${id}A`, id.toUpperCase(), "__proto__", "constructor", `${id} `];
    for (const guess of guesses) expect(sessions.use(guess, SCOPE)).toBeUndefined();
    expect(sessions.use(id, SCOPE)).toBe(session);
    sessions.end(id, "done");
    sessions.end(id, "done");
    sessions.end("unknown", "done");
    expect(sessions.use(id, SCOPE)).toBeUndefined();
    expect(ended).toEqual([session]);
  });
});

describe("a session whose stream is closed", () => {
  test("keeps of each resource that changed which one it was, and nothing else that an upstream says of it", () => {
    const session = setUp().create();
    const updated = (params: object) => ({ jsonrpc: "2.0", method: "notifications/resources/updated", params });
    session.resourceUpdated({ uri: "x:1", _meta: { large: "x".repeat(100) } });
    session.resourceUpdated({ uri: "x:1", "x-own": 1 });
    session.resourceUpdated({ uri: `x:${"long".repeat(3_000)}` });
    const stream = new TestStream();
    session.listen(stream);
    expect(stream.told).toEqual([updated({ uri: "x:1" })]);
    session.resourceUpdated({ uri: "x:1", "x-own": 1 });
    expect(stream.told[1]).toEqual(updated({ uri: "x:1", "x-own": 1 }));
  });
});

describe("a session that nobody uses", () => {
  test("ends after the idle time, within a tenth of it, and one that is used does not", async () => {
    const { sessions, create, time, ended } = setUp();
    const idle = create();
    const used = create();
    for (let tenth = 0; tenth < 9; tenth += 1) {
      await time.advance(HOUR / 10);
      sessions.use(used.id, SCOPE);
    }
    expect(ended).toEqual([]);
    await time.advance(HOUR / 5);
    expect(ended).toEqual([idle]);
    expect(sessions.use(used.id, SCOPE)).toBe(used);
  });

  test("is kept while a request of it is under way or its stream is open, and gets the whole idle time after that", async () => {
    const { sessions, create, time, ended } = setUp();
    const calling = create();
    const listening = create();
    const stream = new TestStream();
    calling.inFlight.set(1, () => {});
    listening.listen(stream);
    await time.advance(5 * HOUR);
    expect(sessions.size).toBe(2);
    calling.inFlight.delete(1);
    listening.unlisten(stream);
    await time.advance(0.9 * HOUR);
    expect(ended).toEqual([]);
    await time.advance(0.2 * HOUR);
    expect(ended).toEqual([calling, listening]);
  });

  test("is looked for only while there are sessions", async () => {
    const { create, time } = setUp();
    expect(time.pending).toBe(0);
    create();
    create();
    expect(time.pending).toBe(1);
    await time.advance(2 * HOUR);
    expect(time.pending).toBe(0);
    create();
    expect(time.pending).toBe(1);
  });
});

describe("a full session store", () => {
  test("makes room by ending the longest unused, never a busy one", () => {
    const { sessions, create, ended } = setUp({ maxSessions: 3 });
    const [busy, oldest, newer] = [create(), create(), create()];
    busy.inFlight.set("call", () => {});
    sessions.use(oldest.id, SCOPE);
    create();
    expect(ended).toEqual([newer]);
    create();
    expect(ended).toEqual([newer, oldest]);
    expect(sessions.use(busy.id, SCOPE)).toBe(busy);
    expect(sessions.size).toBe(3);
  });

  test("refuses when all are busy, with when to try again, and loses none", () => {
    const { sessions, create, ended } = setUp({ maxSessions: 2 });
    for (const session of [create(), create()]) session.listen(new TestStream());
    expect(create).toThrow(
      expect.objectContaining({
        code: "LIMITED",
        message: "All 2 client sessions are in use; try again later",
        data: { retryAfterMs: 1_000 },
      }),
    );
    expect(sessions.size).toBe(2);
    expect(ended).toEqual([]);
  });
});

describe("a session's stream", () => {
  test("hears of changes as they happen", () => {
    const { create } = setUp();
    const session = create();
    const stream = new TestStream();
    expect(session.listen(stream)).toBe(true);
    session.listChanged("tools");
    session.listChanged("tools");
    expect(stream.told).toEqual([LIST_CHANGED, LIST_CHANGED]);
  });

  test("hears when it opens of a change that nobody heard, once, however many they were", () => {
    const { create } = setUp();
    const session = create();
    session.listChanged("tools");
    session.listChanged("tools");
    const first = new TestStream();
    session.listen(first);
    expect(first.told).toEqual([LIST_CHANGED]);
    session.unlisten(first);
    const second = new TestStream();
    session.listen(second);
    expect(second.told).toEqual([]);
  });

  test("is the only one: a second is refused and the first goes on (CVE-2026-33946)", () => {
    const { create } = setUp();
    const session = create();
    const [victim, thief] = [new TestStream(), new TestStream()];
    session.listen(victim);
    expect(session.listen(thief)).toBe(false);
    session.unlisten(thief);
    expect(session.isListening).toBe(true);
    session.listChanged("tools");
    expect([victim.told.length, thief.told.length]).toEqual([1, 0]);
  });

  test("can be opened anew when the first is gone", () => {
    const session = setUp().create();
    const first = new TestStream();
    session.listen(first);
    session.unlisten(first);
    expect(session.isListening).toBe(false);
    expect(session.listen(new TestStream())).toBe(true);
  });
});

describe("ending", () => {
  test("a session cancels what is under way with the reason, and closes its stream", () => {
    const { sessions, create } = setUp();
    const session = create();
    const cancelled: unknown[] = [];
    session.inFlight.set(1, (reason) => {
      cancelled.push([1, reason]);
      session.inFlight.delete(1);
    });
    session.inFlight.set("a", (reason) => cancelled.push(["a", reason]));
    const stream = new TestStream();
    session.listen(stream);
    sessions.end(session.id, "the client ended its session");
    expect(cancelled).toEqual([
      [1, "the client ended its session"],
      ["a", "the client ended its session"],
    ]);
    expect([stream.ended, session.isBusy]).toEqual([1, false]);
  });

  test("the streams leaves the sessions and what is under way in them alone", () => {
    const { sessions, create, ended } = setUp();
    const session = create();
    let cancels = 0;
    session.inFlight.set(1, () => {
      cancels += 1;
    });
    const stream = new TestStream();
    session.listen(stream);
    sessions.endStreams();
    sessions.endStreams();
    expect([stream.ended, cancels, ended.length, session.isListening]).toEqual([1, 0, 0, false]);
    expect(sessions.use(session.id, SCOPE)).toBe(session);
  });

  test("all ends every session and leaves no timer", () => {
    const { sessions, create, time, ended } = setUp();
    const all = [create(), create(), create()];
    sessions.endAll("shutting down");
    sessions.endAll("shutting down");
    expect(ended).toEqual(all);
    expect([sessions.size, time.pending]).toEqual([0, 0]);
  });
});
