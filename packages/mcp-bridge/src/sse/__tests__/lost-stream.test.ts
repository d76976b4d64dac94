import { describe, expect, test, vi } from "vitest";
import { ByteBudget } from "../../byte-budget.js";
import { openLink } from "../../http/__tests__/open-link.js";
import { called, OldServer } from "./old-server.js";

const never = new AbortController().signal;
const sse = true;

describe("a stream that is lost (R8)", () => {
  test("fails the calls on it, which are not sent again, and the next call opens another one", async () => {
    const server = await OldServer.start(() => {});
    const { link, lost } = await openLink(server.url, { sse });
    const hanging = called(link);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    server.of("old-client")?.cut();
    expect((await hanging).error).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: 'Connector "up" closed its event stream; the request may or may not have been carried out',
    });
    expect(server.http.of("tools/call")).toHaveLength(1);
    server.calls = (seen, session) => session.send({ jsonrpc: "2.0", id: seen.message["id"], result: {} });
    expect((await called(link)).response).toMatchObject({ result: {} });
    expect(server.sessions).toHaveLength(3);
    expect(lost).toEqual([]);
  });

  test("is lost with the link when it is the gateway's own; calls of clients on theirs may end", async () => {
    const server = await OldServer.start(() => {});
    const { link, lost } = await openLink(server.url, { sse });
    const hanging = called(link);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    const own = link.request("tools/list", {}, { timeoutMs: 5_000, maxBytes: 1_000 });
    await vi.waitFor(() => expect(server.sessions[0]?.methods).toContain("tools/list"));
    server.sessions[0]?.end();
    await expect(own).rejects.toThrow("closed its event stream; the request may or may not have been carried out");
    expect(lost.map(({ message }) => message)).toEqual(['Connector "up" closed its event stream']);
    const draining = link.close({ drain: true });
    expect((await called(link)).error?.code).toBe("UPSTREAM_UNAVAILABLE");
    const posted = server.of("old-client")?.posted.at(-1);
    server.of("old-client")?.send({ jsonrpc: "2.0", id: posted?.message["id"], result: { late: true } });
    expect((await hanging).response).toMatchObject({ result: { late: true } });
    await draining;
  });

  test("does not end with the calls of a link that closes: they fail, and the server is told to stop", async () => {
    const server = await OldServer.start(() => {});
    const { link, make } = await openLink(server.url, { sse });
    const hanging = called(link);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    await link.close();
    expect((await hanging).error?.message).toBe('Connector "up" is being closed');
    await vi.waitFor(() => expect(server.of("old-client")?.methods).toContain("notifications/cancelled"));
    const next = make();
    await next.open(never);
    server.calls = (seen, session) =>
      session.send({ jsonrpc: "2.0", id: seen.message["id"], result: { at: session.id } });
    expect((await called(next)).response).toMatchObject({ result: { at: "2" } });
    await next.close();
  });

  test("is lost when a message is more than may be held, and the reason says so", async () => {
    const server = await OldServer.start((_, session) => session.raw(`data: ${"x".repeat(200_000)}`));
    const { link } = await openLink(server.url, { sse, budget: new ByteBudget(100_000) });
    expect((await called(link)).error).toMatchObject({
      code: "UPSTREAM_LIMIT",
      message: expect.stringMatching(/100000 bytes.*may or may not have been carried out/),
    });
  });

  test("is lost when one message is longer than 32 MiB", async () => {
    const server = await OldServer.start((_, session) => {
      for (let mib = 0; mib < 33; mib += 1) session.raw(`data: ${"x".repeat(1024 * 1024)}\n`);
    });
    const { link } = await openLink(server.url, { sse });
    expect((await called(link)).error).toMatchObject({
      code: "UPSTREAM_LIMIT",
      message: expect.stringContaining("answered with more than 33554432 bytes"),
    });
  });
});
