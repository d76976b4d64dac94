import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, openLink, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { called, OldServer } from "./old-server.js";

const sse = true;

describe("a message that an old server does not accept (R8)", () => {
  test.each<[string, number, string, string, string]>([
    ["400", 400, "bad message", "UPSTREAM_PROTOCOL", 'refused a message with HTTP 400 (upstream text: "bad message")'],
    ["401", 401, "", "UPSTREAM_UNAVAILABLE", "needs credentials"],
    ["a redirect", 308, "", "UPSTREAM_PROTOCOL", "which is not followed"],
    ["500", 500, "oops", "UPSTREAM_UNAVAILABLE", "answered HTTP 500"],
    ["a flood", 500, "x".repeat(1_000_000), "UPSTREAM_UNAVAILABLE", "answered HTTP 500"],
  ])("fails its call with the reason (%s), and nothing else", async (_, status, text, code, reason) => {
    let refusals = 1;
    const server = await OldServer.start(undefined, {
      post: (seen, res) =>
        seen.method === "tools/call" && refusals-- > 0 && res.writeHead(status).end(text) !== undefined,
    });
    const { link, lost } = await openLink(server.url, { sse });
    expect((await called(link)).error).toMatchObject({ code, message: expect.stringContaining(reason) });
    expect((await called(link)).response).toMatchObject({ result: { session: "2" } });
    expect(lost).toEqual([]);
  });

  test("because its session is unknown is not sent again, but the next call opens another session", async () => {
    let forgets = false;
    const server = await OldServer.start(undefined, {
      post: (seen, res) => {
        if (seen.method !== "tools/call" || !forgets) return false;
        forgets = false;
        res.writeHead(404).end("Could not find session");
        return true;
      },
    });
    const { link, lost } = await openLink(server.url, { sse });
    const { calls } = server;
    server.calls = () => {};
    const other = called(link);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    server.calls = calls;
    forgets = true;
    expect((await called(link)).error).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "up" does not know its session any more (HTTP 404), and did not carry the request out',
    });
    expect((await other).error?.message).toBe(
      'Connector "up" does not know its session any more (HTTP 404); the request may or may not have been carried out',
    );
    expect((await called(link)).response).toMatchObject({ result: { session: "3" } });
    expect(server.http.of("tools/call")).toHaveLength(3);
    expect(lost).toEqual([]);
  });

  test("because the connection broke may have been carried out", async () => {
    const server = await OldServer.start(undefined, {
      post: (seen, res) => seen.method === "tools/call" && res.destroy() !== undefined,
    });
    const { link } = await openLink(server.url, { sse });
    expect((await called(link)).error).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("the request may have been carried out"),
    });
  });

  test("and that needs no answer is only logged, and not waited for for ever", async () => {
    const time = new ManualTime();
    const server = await OldServer.start(() => {}, {
      post: (seen, res) => {
        if (seen.method !== "notifications/cancelled") return false;
        if (seen.message["params"] !== undefined && server.http.of("notifications/cancelled").length === 1)
          res.writeHead(500).end();
        return true;
      },
    });
    const { link, logger } = await openLink(server.url, { sse, time });
    for (let round = 1; round <= 2; round += 1) {
      const exchange = link.send(toolCall(LEGACY_CALLER, round), new RecordingSink());
      await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(round));
      exchange.cancel();
      await vi.waitFor(() => expect(server.http.of("notifications/cancelled")).toHaveLength(round));
    }
    await vi.waitFor(() => expect(logger.messages("debug")).toContain("A notification did not reach the upstream"));
    await time.advance(5_000);
    await vi.waitFor(() => expect(server.http.of("notifications/cancelled")[1]?.aborted).toBe(true));
    expect(time.pending).toBe(0);
  });

  test("because nobody listens any more loses the link; what is under way on streams that live may end", async () => {
    const server = await OldServer.start(() => {});
    const { link, lost } = await openLink(server.url, { sse });
    const hanging = called(link);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    server.http.refuse();
    // An idle connection may look alive for a moment.
    await vi.waitFor(async () => expect((await called(link)).error?.message).toMatch(/cannot be reached|closed/));
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    expect(lost[0]?.message).toBe('Connector "up" cannot be reached: connection refused');
    const id = server.of("old-client")?.posted.find(({ method }) => method === "tools/call")?.message["id"];
    server.of("old-client")?.send({ jsonrpc: "2.0", id, result: {} });
    expect((await hanging).response).toMatchObject({ result: {} });
  });

  test("because nobody listens any more loses the link, also when a client would only now connect", async () => {
    const server = await OldServer.start();
    const { link, lost } = await openLink(server.url, { sse });
    server.http.refuse();
    expect((await called(link, "new")).error?.message).toMatch(/cannot be reached/);
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    expect((await called(link, "other")).error?.code).toBe("UPSTREAM_UNAVAILABLE");
  });
});
