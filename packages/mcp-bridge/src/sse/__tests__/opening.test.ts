import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, testLink, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { upstream, type Script } from "../../http/__tests__/scripted-upstream.js";
import { NoSseServerError } from "../no-sse-server-error.js";
import { OldServer, type OldOptions } from "./old-server.js";

const never = new AbortController().signal;
const sse = true;

describe("an old server that cannot be used (R8)", () => {
  test.each<[string, OldOptions["endpoint"], string]>([
    ["another host", () => "https://evil.test/messages", "wants messages sent to another origin than its own"],
    [
      "another port",
      () => "http://127.0.0.1:1/messages",
      'another origin than its own (upstream text: "http://127.0.0.1:1")',
    ],
    ["nothing", () => "http://", "names no usable address for messages"],
  ])("is down when its endpoint event names %s: nothing is sent there", async (_, endpoint, reason) => {
    const server = await OldServer.start(undefined, endpoint === undefined ? {} : { endpoint });
    const { link } = testLink(server.url, { sse, headers: { authorization: "Bearer s3cret" } });
    const error = await link.open(never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UPSTREAM_PROTOCOL", message: expect.stringContaining(reason) });
    await vi.waitFor(() => expect(server.living).toEqual([]));
    expect(server.http.seen).toHaveLength(1);
  });

  test.each<[string, Script, string]>([
    ["404", (_, res) => void res.writeHead(404).end(), "answered HTTP 404 to GET"],
    [
      "JSON",
      (_, res) => void res.writeHead(200, { "content-type": "application/json" }).end("{}"),
      "answered GET with something else than an event stream",
    ],
    [
      "a stream that ends",
      (_, res) => void res.writeHead(200, { "content-type": "text/event-stream" }).end(": hello\n\n"),
      "ended its answer to GET without an endpoint event",
    ],
    [
      "a stream that begins with a message",
      (_, res) =>
        void res
          .writeHead(200, { "content-type": "text/event-stream" })
          .write('data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'),
      "sends other events before an endpoint event",
    ],
  ])("is none when GET is answered with %s", async (_, script, reason) => {
    const server = await upstream(script);
    const error = await testLink(server.url, { sse })
      .link.open(never)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoSseServerError);
    expect(error).toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: `Connector "up" ${reason}: there is no server of the old HTTP+SSE transport at this address; check the URL`,
    });
  });

  test.each<[string, Script, string, string]>([
    ["401", (_, res) => void res.writeHead(401).end(), "UPSTREAM_UNAVAILABLE", "needs credentials"],
    [
      "503",
      (_, res) => void res.writeHead(503).end("busy"),
      "UPSTREAM_UNAVAILABLE",
      'HTTP 503 (upstream text: "busy")',
    ],
    [
      "a redirect",
      (_, res) => void res.writeHead(307, { location: "https://evil.test/" }).end(),
      "UPSTREAM_PROTOCOL",
      "redirect (HTTP 307), which is not followed",
    ],
  ])("is down with the reason when GET is answered with %s", async (_, script, code, reason) => {
    const server = await upstream(script);
    await expect(testLink(server.url, { sse }).link.open(never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(reason),
    });
  });

  test("is down when it says nothing, names no endpoint, or does not answer initialize, all within connectMs", async () => {
    const silent = await upstream(() => {});
    const endless = await OldServer.start(undefined, { endpoint: () => undefined });
    const mute = await OldServer.start(undefined, {
      post: (_, res) => res.writeHead(202).end() !== undefined,
    });
    const expected: [string, () => boolean, string][] = [
      [silent.url, () => silent.seen.length === 1, "sent no endpoint event in time"],
      [endless.url, () => endless.sessions.length === 1, "sent no endpoint event in time"],
      [mute.url, () => mute.of("cortex-mcp") !== undefined, "did not open a session over HTTP+SSE within 700 ms"],
    ];
    for (const [url, isReady, reason] of expected) {
      const time = new ManualTime();
      const { link } = testLink(url, { sse, time, timeouts: { connectMs: 700 } });
      const opening = expect(link.open(never)).rejects.toMatchObject({
        code: "UPSTREAM_TIMEOUT",
        message: expect.stringContaining(reason),
      });
      await vi.waitFor(() => expect(isReady()).toBe(true));
      await time.advance(700);
      await opening;
      await time.advance(1_000);
      expect(time.pending).toBe(0);
    }
    // A request that nobody waits for any more is not even worth a cancel: initialize must not be cancelled.
    expect(mute.sessions[0]?.methods).toEqual(["initialize"]);
  });

  test("is down when it refuses initialize, chooses an unknown revision or refuses to be told that it was understood", async () => {
    const strange = await OldServer.start(undefined, { revision: "1999-01-01" });
    await expect(testLink(strange.url, { sse }).link.open(never)).rejects.toThrow('protocol version "1999-01-01"');
    const refusing = await OldServer.start(undefined, {
      post: (seen, res) => seen.method === "notifications/initialized" && res.writeHead(400).end("why?") !== undefined,
    });
    await expect(testLink(refusing.url, { sse }).link.open(never)).rejects.toThrow(
      'refused a message with HTTP 400 (upstream text: "why?")',
    );
    const leaving: OldServer = await OldServer.start(undefined, {
      post: (seen, _, session) => {
        if (seen.method !== "notifications/initialized") return false;
        session.end();
        return true;
      },
    });
    await expect(testLink(leaving.url, { sse }).link.open(never)).rejects.toThrow("closed its event stream");
  });

  test("opening ends when its signal fires, before or while it is under way", async () => {
    const server = await OldServer.start(undefined, { endpoint: () => undefined });
    await expect(testLink(server.url, { sse }).link.open(AbortSignal.abort())).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(server.sessions).toEqual([]);
    const abort = new AbortController();
    const opening = expect(testLink(server.url, { sse }).link.open(abort.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await vi.waitFor(() => expect(server.sessions).toHaveLength(1));
    abort.abort();
    await opening;
    await vi.waitFor(() => expect(server.living).toEqual([]));
  });

  test("is not opened, and nothing is sent, when it is gone", async () => {
    const server = await OldServer.start();
    await server.http.stop();
    const { link } = testLink(server.url, { sse });
    await expect(link.open(never)).rejects.toThrow("cannot be reached: connection refused");
    const sink = new RecordingSink();
    link.send(toolCall(LEGACY_CALLER), sink);
    expect((await sink.done).error?.message).toBe('Connector "up" is being closed');
    await expect(link.request("ping", {}, { timeoutMs: 1, maxBytes: 1 })).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
    });
    expect(link.hearsChanges).toBe(false);
  });
});
