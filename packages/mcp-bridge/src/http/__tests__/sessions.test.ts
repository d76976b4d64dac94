import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { failure, json, legacy, openStream, result, upstream } from "./scripted-upstream.js";

const ok = legacyAnswer();
function legacyAnswer(): Parameters<typeof legacy>[0] {
  return (seen, res) => json(res, 200, result(seen, { session: String(seen.headers["mcp-session-id"]) }));
}

async function call(
  link: { send: Awaited<ReturnType<typeof openLink>>["link"]["send"] },
  sessionKey = "client-1",
  id = 1,
) {
  const sink = new RecordingSink();
  link.send(toolCall({ ...LEGACY_CALLER, sessionKey }, id), sink);
  return sink.done;
}

describe("sessions with a legacy upstream (design.md, decision 6)", () => {
  test("each client session gets its own, opened once for all its first calls, in its own name and revision", async () => {
    const server = await upstream(legacy(ok, { sessions: new Set() }));
    const { link } = await openLink(server.url);
    const revision = "2025-03-26";
    const sinks = ["one", "one", "two"].map((sessionKey, id) => {
      const sink = new RecordingSink();
      link.send(toolCall({ ...LEGACY_CALLER, sessionKey, revision }, id), sink);
      return sink;
    });
    await Promise.all(sinks.map((sink) => sink.done));
    expect(server.of("initialize").map((seen) => seen.message["params"])).toEqual([
      { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "cortex-mcp", version: "0.0.0" } },
      { protocolVersion: revision, capabilities: {}, clientInfo: { name: "old-client", version: "3" } },
      { protocolVersion: revision, capabilities: {}, clientInfo: { name: "old-client", version: "3" } },
    ]);
    const used = sinks.map((sink) => (sink.body["result"] as { session: string }).session);
    expect(used[0]).toBe(used[1]);
    expect(used[2]).not.toBe(used[0]);
    expect(server.of("notifications/initialized")).toHaveLength(3);
    expect(server.of("tools/call")[0]?.headers["mcp-protocol-version"]).toBe(revision);
  });

  test("a client session that ends takes its upstream session with it, also one that is still opening", async () => {
    const sessions = new Set<string>();
    const server = await upstream(legacy(ok, { sessions }));
    const { link } = await openLink(server.url);
    await call(link, "one");
    link.endSession("one");
    link.endSession("never seen");
    await vi.waitFor(() => expect([...sessions]).toEqual(["session-1"]));
    const sink = new RecordingSink();
    link.send(toolCall({ ...LEGACY_CALLER, sessionKey: "two" }), sink);
    link.endSession("two");
    await sink.done;
    expect(sink.error?.code).toBe("UPSTREAM_UNAVAILABLE");
    await vi.waitFor(() => expect(server.of("DELETE")).toHaveLength(2));
    await vi.waitFor(() => expect([...sessions]).toEqual(["session-1"]));
  });

  test("closing ends them all, and an upstream that does not answer to that is not waited for long", async () => {
    const sessions = new Set<string>();
    const server = await upstream(legacy(ok, { sessions }));
    const { link, close } = await openLink(server.url);
    await call(link, "one");
    const modern = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), modern);
    await modern.done;
    expect(sessions.size).toBe(3);
    await close();
    expect(sessions.size).toBe(0);
    await close();
    expect(server.of("DELETE")).toHaveLength(3);
  });

  test.each([
    ["404", undefined],
    [
      "400 that speaks of the session",
      (_: unknown, res: Parameters<typeof json>[0]) => {
        json(res, 400, {
          jsonrpc: "2.0",
          id: null,
          error: { code: -32_000, message: "Bad Request: No valid session ID provided" },
        });
      },
    ],
  ])("a forgotten session (%s) is replaced once for all, and the calls are sent again", async (_, unknownSession) => {
    const sessions = new Set<string>();
    const server = await upstream(
      legacy(ok, { sessions, ...(unknownSession === undefined ? {} : { unknownSession }) }),
    );
    const { link, changes } = await openLink(server.url);
    await call(link);
    sessions.clear();
    const sinks = await Promise.all([call(link, "client-1", 2), call(link, "client-1", 3)]);
    expect(sinks.map((sink) => sink.body["id"])).toEqual([2, 3]);
    expect(sinks.map((sink) => sink.endings)).toEqual([["end"], ["end"]]);
    expect(server.of("initialize")).toHaveLength(3);
    expect(changes.count).toBe(1);
  });

  test("the gateway's own session is replaced as well, and so is a shared one", async () => {
    const sessions = new Set<string>();
    const server = await upstream(legacy(ok, { sessions }));
    const { link, changes } = await openLink(server.url);
    const first = new RecordingSink();
    link.send(toolCall(MODERN_CALLER, 1), first);
    await first.done;
    sessions.clear();
    const second = new RecordingSink();
    link.send(toolCall(MODERN_CALLER, 2), second);
    await second.done;
    expect(second.response).toMatchObject({ id: 2, result: { resultType: "complete" } });
    expect(await link.request("tools/list", {}, { timeoutMs: 1_000, maxBytes: 1_000 })).toHaveProperty("session");
    expect(changes.count).toBe(2);
  });

  test("what is refused in a new session as well is the answer, not a reason to go round in circles", async () => {
    const server = await upstream(
      legacy((seen, res) => json(res, 404, failure(seen, -32_001, "Session not found")), { sessions: new Set() }),
    );
    const { link } = await openLink(server.url);
    const sink = await call(link);
    expect(sink.response).toMatchObject({ id: 1, error: { code: -32_001 } });
    expect(server.of("tools/call")).toHaveLength(2);
  });

  test("a 400 about something else is passed on and not tried again", async () => {
    const server = await upstream(
      legacy(
        (seen, res) =>
          json(res, 400, {
            jsonrpc: "2.0",
            id: seen.message["id"],
            error: { code: -32_602, message: "bad arguments" },
          }),
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url);
    expect((await call(link)).response).toMatchObject({ error: { code: -32_602 } });
    expect(server.of("tools/call")).toHaveLength(1);
  });

  test.each([
    ["a 404 that is an answer", 404, { code: -32_602, message: "no such thing" }, undefined],
    ["a 404 that is an answer without an id", 404, { code: -32_601, message: "no such method" }, null],
    ["an answer that happens to speak of sessions", 404, { code: -32_602, message: "no chat session 7" }, undefined],
    ["an error of the server's own about a session", 400, { code: -32_000, message: "session expired" }, undefined],
  ])(
    "%s reaches a legacy client as HTTP 200, because another status would mean its own session; it is not sent twice",
    async (_, status, error, id) => {
      const server = await upstream(
        legacy(
          (seen, res) => json(res, status, { jsonrpc: "2.0", id: id === undefined ? seen.message["id"] : id, error }),
          { sessions: new Set() },
        ),
      );
      const { link } = await openLink(server.url);
      const sink = await call(link, "client-1", 5);
      expect(sink.endings).toEqual(["respond"]);
      expect(sink.response).toEqual({ jsonrpc: "2.0", id: 5, error });
      expect(server.of("tools/call")).toHaveLength(1);
      expect(server.of("initialize")).toHaveLength(2);
    },
  );

  test.each([
    ["404 with no body", 404, "", "text/plain"],
    ["404 with a page", 404, "<h1>gone</h1>", "text/html"],
    ["400 in words", 400, "Bad Request: No valid session ID provided", "text/plain"],
    [
      "404 in the SDK's words",
      404,
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}',
      "application/json",
    ],
  ])("a session that is lost (%s) is replaced, and the call sent again, once", async (_, status, body, type) => {
    let refusals = 1;
    const server = await upstream(
      legacy(
        (seen, res) => {
          if (refusals-- > 0) res.writeHead(status, { "content-type": type }).end(body);
          else json(res, 200, result(seen, { ok: true }));
        },
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url);
    expect((await call(link)).body).toMatchObject({ result: { ok: true } });
    expect(server.of("tools/call")).toHaveLength(2);
  });

  test("a cancel while the lost session is being replaced stops the call", async () => {
    const sessions = new Set<string>();
    const server = await upstream(legacy(ok, { sessions }));
    const { link } = await openLink(server.url);
    await call(link);
    sessions.clear();
    const sink = new RecordingSink();
    const exchange = link.send(toolCall(LEGACY_CALLER, 2), sink);
    const { script } = server;
    server.script = (seen, res) => {
      if (seen.method === "initialize") exchange.cancel();
      script(seen, res);
    };
    await vi.waitFor(() => expect(server.of("notifications/initialized")).toHaveLength(3));
    await call(link, "client-1", 3);
    expect(server.of("tools/call").map((seen) => seen.message["id"])).toEqual([1, 2, 3]);
    expect(server.of("notifications/cancelled")).toEqual([]);
    expect(sink.endings).toEqual([]);
  });

  test("a session that cannot be opened fails the call, and the next call tries again", async () => {
    const server = await upstream(legacy(ok, { sessions: new Set() }));
    const { link, lost } = await openLink(server.url);
    const { script } = server;
    server.script = (_, res) => json(res, 503, {});
    expect((await call(link)).error?.message).toContain("HTTP 503");
    server.script = script;
    expect((await call(link)).endings).toEqual(["end"]);
    server.script = (seen, res) => {
      if (seen.method === "notifications/initialized") res.writeHead(500).end();
      else script(seen, res);
    };
    expect((await call(link, "other")).error?.message).toContain("HTTP 500");
    expect(lost).toEqual([]);
    await server.stop();
    // An idle connection may look alive for a moment after the upstream has gone.
    await vi.waitFor(async () => expect((await call(link, "third")).error?.message).toMatch(/refused|being closed/));
    expect(lost).toHaveLength(1);
  });

  test("a link that is lost lets calls in flight end, and closes at once when told to", async () => {
    let finish = (): void => {};
    const server = await upstream(
      legacy(
        (seen, res) => {
          const send = openStream(res);
          finish = () => {
            send(result(seen, {}));
            res.end();
          };
        },
        { sessions: new Set() },
      ),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), sink);
    await vi.waitFor(() => expect(sink.status).toBe(200));
    let drained = false;
    const draining = link.close({ drain: true }).then(() => {
      drained = true;
    });
    const refused = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), refused);
    expect(refused.error?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(drained).toBe(false);
    finish();
    await draining;
    expect(sink.endings).toEqual(["end"]);
    await link.close({ drain: true });
  });
});
