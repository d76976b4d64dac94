import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { openLink } from "./open-link.js";
import { DISCOVERED, json, legacy, modern, result, upstream } from "./scripted-upstream.js";
import { acknowledged, Streams } from "./streams.js";

const CHANGED = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
const TELLS = { tools: { listChanged: true } };

describe("hearing of changed tools from a modern upstream", () => {
  test("one subscription is kept open on a connection of its own, and each change reported", async () => {
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: TELLS }));
    const { changes, close } = await openLink(server.url);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    expect(server.of("subscriptions/listen")[0]?.message["params"]).toMatchObject({
      notifications: { toolsListChanged: true },
    });
    streams.last?.send({ jsonrpc: "2.0", method: "notifications/subscriptions/acknowledged", params: {} });
    streams.last?.send(CHANGED);
    streams.last?.send({ jsonrpc: "2.0", id: 1, method: "roots/list" });
    streams.last?.send(CHANGED);
    await vi.waitFor(() => expect(changes.count).toBe(2));
    await close();
    await vi.waitFor(() => expect(server.of("subscriptions/listen")[0]?.aborted).toBe(true));
  });

  test("an upstream that does not claim to tell is not asked", async () => {
    const server = await upstream(modern(() => {}));
    await openLink(server.url);
    const old = await upstream(legacy(() => {}, { get: () => {} }));
    await openLink(old.url);
    expect([...server.methods, ...old.methods]).not.toContain("GET");
    expect(server.methods).toEqual(["server/discover"]);
  });

  test("a stream that ends is opened again with growing delays, and a change assumed each time", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(modern(streams.grant, { ...DISCOVERED, capabilities: TELLS }));
    const { changes } = await openLink(server.url, { time });
    for (const [round, delayMs] of [20, 40, 80].entries()) {
      await vi.waitFor(() => expect(streams.open).toHaveLength(round + 1));
      await vi.waitFor(() => expect(changes.count).toBe(round));
      streams.last?.res.end();
      await vi.waitFor(() => expect(time.delays).toEqual([delayMs]));
      await time.advance(delayMs);
    }
    await vi.waitFor(() => expect(streams.open).toHaveLength(4));
    await vi.waitFor(() => expect(changes.count).toBe(3));
    // One that lived for ten seconds was a good one.
    await time.advance(10_000);
    streams.last?.res.destroy();
    await vi.waitFor(() => expect(time.delays).toEqual([20]));
  });

  test("a refusal ends it, a server that is not well is asked again", async () => {
    const time = new ManualTime();
    let status = 503;
    const server = await upstream(
      modern((_, res) => void res.writeHead(status).end(), { ...DISCOVERED, capabilities: TELLS }),
    );
    const { logger } = await openLink(server.url, { time });
    await vi.waitFor(() => expect(time.delays).toEqual([20]));
    status = 404;
    await time.advance(20);
    await vi.waitFor(() => expect(logger.messages("debug")).toContain("The upstream offers no stream of changes"));
    expect(time.pending).toBe(0);
    expect(server.of("subscriptions/listen")).toHaveLength(2);
  });

  test("what cannot be read is left, and opened again", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: TELLS }));
    await openLink(server.url, { time });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    streams.last?.res.write("data: {nonsense\n\n");
    await vi.waitFor(() => expect(server.of("subscriptions/listen")[0]?.aborted).toBe(true));
    expect(time.delays).toEqual([20]);
  });

  test("an endless refusal is not read to its end", async () => {
    const server = await upstream(
      modern(
        (_, res) => {
          res.writeHead(200, { "content-type": "application/json" });
          res.write("x".repeat(20_000));
        },
        { ...DISCOVERED, capabilities: TELLS },
      ),
    );
    const { logger } = await openLink(server.url);
    await vi.waitFor(() => expect(server.of("subscriptions/listen")[0]?.aborted).toBe(true));
    expect(logger.messages("debug")).toContain("The upstream offers no stream of changes");
  });

  test("a stream that cannot be opened again means that the upstream is gone", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: TELLS }));
    const { lost, changes } = await openLink(server.url, { time });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    await server.stop();
    // What is left is the delay until it is opened again, and not the wait for an acknowledgement.
    await vi.waitFor(() => expect(time.delays[0]).toBeLessThanOrEqual(200));
    await time.advance(200);
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    expect(lost[0]?.message).toContain("connection refused");
    expect(changes.count).toBe(0);
    expect(time.pending).toBe(0);
  });
});

describe("hearing of changed tools from a legacy upstream", () => {
  test("the GET stream of the gateway's own session tells; requests on it are refused", async () => {
    const streams = new Streams();
    const server = await upstream(legacy(() => {}, { sessions: new Set(), capabilities: TELLS, get: streams.accept }));
    const { changes } = await openLink(server.url);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    expect(server.of("GET")[0]?.headers).toMatchObject({ accept: "text/event-stream", "mcp-session-id": "session-1" });
    streams.last?.send(CHANGED);
    streams.last?.send({ jsonrpc: "2.0", id: 5, method: "ping" });
    await vi.waitFor(() => expect(changes.count).toBe(1));
    await vi.waitFor(() => expect(server.of("POST")[0]?.message).toEqual({ jsonrpc: "2.0", id: 5, result: {} }));
  });

  test("a server without GET is fine", async () => {
    const server = await upstream(legacy(() => {}, { sessions: new Set(), capabilities: TELLS }));
    const { logger } = await openLink(server.url);
    await vi.waitFor(() => expect(logger.messages("debug")).toContain("The upstream offers no stream of changes"));
    expect(logger.lines.at(-1)?.fields).toMatchObject({
      connectorId: "up",
      reason: expect.stringContaining("HTTP 405"),
    });
    expect(server.of("GET")).toHaveLength(1);
  });

  test("after a restart that forgot the session a new one is opened, the stream too, and a change assumed", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const sessions = new Set<string>();
    const server = await upstream(
      legacy((seen, res) => json(res, 200, result(seen, {})), { sessions, capabilities: TELLS, get: streams.accept }),
    );
    const { changes, lost } = await openLink(server.url, { time });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    sessions.clear();
    streams.last?.res.end();
    await vi.waitFor(() => expect(time.delays).toEqual([20]));
    await time.advance(20);
    await vi.waitFor(() => expect(server.of("GET")).toHaveLength(2));
    await vi.waitFor(() => expect(time.delays).toEqual([40]));
    await time.advance(40);
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    expect(server.of("GET")[2]?.headers["mcp-session-id"]).toBe("session-2");
    await vi.waitFor(() => expect(changes.count).toBe(1));
    expect(lost).toEqual([]);
  });

  test("when the new session cannot be opened, the upstream counts as gone", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const sessions = new Set<string>();
    const server = await upstream(legacy(() => {}, { sessions, capabilities: TELLS, get: streams.accept }));
    const { lost } = await openLink(server.url, { time });
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    sessions.clear();
    streams.last?.res.end();
    await vi.waitFor(() => expect(time.pending).toBe(1));
    const { script } = server;
    server.script = (seen, res) => {
      if (seen.method === "initialize") res.writeHead(503).end();
      else script(seen, res);
    };
    await time.advance(20);
    await vi.waitFor(() => expect(time.delays).toEqual([40]));
    await time.advance(40);
    await vi.waitFor(() => expect(lost[0]?.message).toContain("HTTP 503"));
  });
});

describe("whether a change would be heard of (R6: what is not announced must be looked for)", () => {
  test("in the modern era from the acknowledgement that grants it until the stream ends", async () => {
    const time = new ManualTime();
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: TELLS }));
    const { link, make, close } = await openLink(server.url, { time });
    expect(make().hearsChanges).toBe(false);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    expect(link.hearsChanges).toBe(false);
    streams.last?.send(acknowledged({ toolsListChanged: true }));
    await vi.waitFor(() => expect(link.hearsChanges).toBe(true));
    streams.last?.res.end();
    await vi.waitFor(() => expect(link.hearsChanges).toBe(false));
    await vi.waitFor(() => expect(time.pending).toBe(1));
    await time.advance(20);
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    streams.last?.send(acknowledged({ toolsListChanged: true }));
    await vi.waitFor(() => expect(link.hearsChanges).toBe(true));
    await close();
    expect(link.hearsChanges).toBe(false);
  });

  test("not from an upstream that grants less than it claims; but whoever tells all the same is heard", async () => {
    const streams = new Streams();
    const server = await upstream(modern(streams.accept, { ...DISCOVERED, capabilities: TELLS }));
    const { link, logger, changes } = await openLink(server.url);
    await vi.waitFor(() => expect(streams.open).toHaveLength(1));
    streams.last?.send(acknowledged({}));
    await vi.waitFor(() =>
      expect(logger.messages("debug")).toContain("The upstream will not tell of changes that it claims to tell"),
    );
    expect(link.hearsChanges).toBe(false);
    streams.last?.send(CHANGED);
    await vi.waitFor(() => expect(changes.count).toBe(1));
    expect(link.hearsChanges).toBe(true);
  });

  test("in the legacy era while the GET stream is open; not when there is none (405), nor without the claim", async () => {
    const streams = new Streams();
    const server = await upstream(legacy(() => {}, { sessions: new Set(), capabilities: TELLS, get: streams.accept }));
    const { link } = await openLink(server.url);
    await vi.waitFor(() => expect(link.hearsChanges).toBe(true));
    const deaf = await upstream(legacy(() => {}, { sessions: new Set(), capabilities: TELLS }));
    const without = await openLink(deaf.url);
    await vi.waitFor(() =>
      expect(without.logger.messages("debug")).toContain("The upstream offers no stream of changes"),
    );
    expect(without.link.hearsChanges).toBe(false);
    const silent = await upstream(legacy(() => {}, { sessions: new Set() }));
    expect((await openLink(silent.url)).link.hearsChanges).toBe(false);
  });
});
