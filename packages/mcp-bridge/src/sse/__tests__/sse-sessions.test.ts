import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { result } from "../../http/__tests__/scripted-upstream.js";
import type { Link } from "../../link.js";
import type { Caller, UpstreamCall } from "../../runtime/exchange.js";
import { OldServer, type Calls } from "./old-server.js";

const sse = true;

/** Answers with the id of the connection, and calls of `hang` never. */
const leavesHanging: Calls = (seen, session) => {
  if (JSON.stringify(seen.message).includes('"hang"')) return;
  session.send(result(seen, { session: session.id }));
};

function send(link: Link, call: UpstreamCall): RecordingSink {
  const sink = new RecordingSink();
  link.send(call, sink);
  return sink;
}

const resultOf = (sink: RecordingSink): JsonObject | undefined =>
  sink.response !== undefined && "result" in sink.response ? sink.response.result : undefined;

describe("clients of an old server (design.md, decision 6)", () => {
  const call = async (link: Link, caller: Partial<Caller> = {}) =>
    resultOf(await send(link, toolCall({ ...LEGACY_CALLER, ...caller })).done)?.["session"];

  test("have a connection each, in their own name and revision; those without a session one for each principal", async () => {
    const server = await OldServer.start();
    const { link } = await openLink(server.url, { sse });
    const revision = "2025-03-26";
    const used = await Promise.all([
      call(link, { sessionKey: "one", revision }),
      call(link, { sessionKey: "one", revision }),
      call(link, { sessionKey: "two" }),
    ]);
    expect(used[0]).toBe(used[1]);
    expect(new Set([...used, "1"]).size).toBe(3);
    const one = server.sessions.find(({ id }) => id === used[0]);
    expect(one?.posted[0]?.message["params"]).toEqual({
      protocolVersion: revision,
      capabilities: {},
      clientInfo: { name: "old-client", version: "3" },
    });
    const principals = await Promise.all(
      ["anna", "anna", "bob"].map(async (principal) => {
        const sink = await send(link, toolCall({ ...MODERN_CALLER, principal })).done;
        return resultOf(sink)?.["session"];
      }),
    );
    expect(principals[0]).toBe(principals[1]);
    expect(principals[0]).not.toBe(principals[2]);
    expect(server.of("cortex-mcp")?.posted[0]?.message["params"]).toMatchObject({ protocolVersion: "2025-11-25" });
  });

  test("lose it when their session ends, also while it opens, and all do when the connector closes", async () => {
    const server = await OldServer.start();
    const { close, link } = await openLink(server.url, { sse });
    await call(link, { sessionKey: "one" });
    link.endSession("one");
    link.endSession("never seen");
    await vi.waitFor(() => expect(server.living.map(({ id }) => id)).toEqual(["1"]));
    const opening = send(link, toolCall({ ...LEGACY_CALLER, sessionKey: "two" }));
    link.endSession("two");
    expect((await opening.done).error?.message).toBe('Connector "up": the client\'s session ended');
    await call(link, { sessionKey: "three" });
    await close();
    await vi.waitFor(() => expect(server.living).toEqual([]));
  });

  test("have no more than 256 at a time: the longest unused makes room, whoever's it is, and its next call opens it anew (R8)", async () => {
    const server = await OldServer.start(leavesHanging);
    const { link } = await openLink(server.url, { sse });
    const busy = send(link, toolCall({ ...LEGACY_CALLER, sessionKey: "busy" }, 1, {}, "hang"));
    const idle = await call(link, { sessionKey: "crashed" });
    const principals = resultOf(await send(link, toolCall({ ...MODERN_CALLER, principal: "idle" })).done)?.["session"];
    const keys = Array.from({ length: 253 }, (_, at) => `s${at}`);
    for (const sessionKey of keys) await call(link, { sessionKey });
    expect(server.living).toHaveLength(257);
    // Used again: now the principal's is the one that was used longest ago.
    expect(await call(link, { sessionKey: "crashed" })).toBe(idle);
    expect(await call(link, { sessionKey: "one more" })).toBe("258");
    await vi.waitFor(() => expect(server.living.map(({ id }) => id)).not.toContain(principals));
    expect(await call(link, { sessionKey: "two more" })).toBe("259");
    expect(await call(link, { sessionKey: "s0" })).toBe("260");
    expect(busy.endings).toEqual([]);
    expect(await call(link, { sessionKey: "crashed" })).toBe(idle);
  });

  test("are refused another one only while calls are under way on all of them (R8)", async () => {
    const server = await OldServer.start(leavesHanging);
    const { link } = await openLink(server.url, { sse });
    const sink = new RecordingSink();
    const exchanges = Array.from({ length: 256 }, (_, at) =>
      link.send(toolCall({ ...LEGACY_CALLER, sessionKey: `s${at}` }, 1, {}, "hang"), sink),
    );
    const refused = await send(link, toolCall({ ...LEGACY_CALLER, sessionKey: "too many" })).done;
    expect(refused.error).toMatchObject({
      code: "LIMITED",
      message: 'Connector "up": all of its 256 connections are busy; try again when a call has ended',
    });
    expect(sink.endings).toEqual([]);
    exchanges[7]?.cancel();
    expect(await call(link, { sessionKey: "too many" })).toEqual(expect.any(String));
  });
});
