import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import {
  answerOf,
  failOnLeaks,
  initialize,
  specAt,
  startServed,
  startUpstream,
  type LegacyClient,
} from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { EventClient } from "./event-client.js";

failOnLeaks();

async function served() {
  const upstream = await startUpstream({ era: "legacy" });
  const running = await startServed([specAt("up", upstream.url)]);
  return { ...running, client: await initialize(running.port) };
}

/** A call that takes long and tells its progress, as an event stream. */
function slowly(port: number, { headers }: LegacyClient, ms: number, steps: number): EventClient {
  const params = { name: "up__slow", arguments: { ms, steps }, _meta: { progressToken: "p" } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: "call", method: "tools/call", params });
  const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return new EventClient(port, undefined, "POST", { headers: { ...headers, ...json }, body });
}

const back = (port: number, { headers }: LegacyClient, lastEventId: string): EventClient =>
  new EventClient(port, lastEventId, "GET", { headers });

const counted = async (client: LegacyClient): Promise<unknown> => {
  const { result } = answerOf(await client.request("count", "tools/call", { name: "up__cancelled" }));
  return (result as JsonObject)["structuredContent"];
};

const HOUR_MS = 3_600_000;

describe("a call of a legacy session whose client is away (R22)", () => {
  test("goes on, and its session brings the rest", async () => {
    const { port, client } = await served();
    const first = await slowly(port, client, 400, 3).untilData(1);
    first.close();
    const again = await back(port, client, first.lastId).untilOver();
    expect([first.data.length + again.data.length, again.isWhole]).toEqual([4, true]);
    expect(again.data.at(-1)).toContain('"id":"call"');
    expect(await counted(client)).toMatchObject({ completed: 1, cancelled: 0 });
  });

  test("gives nothing to another session, which is refused with 400, nor to none", async () => {
    const { port, client } = await served();
    const first = await slowly(port, client, HOUR_MS, 10_000).untilData(1);
    first.close();
    const stranger = await initialize(port);
    const refused = await back(port, stranger, first.lastId).untilOver();
    expect([refused.status, refused.headers["content-type"]]).toEqual([400, "application/json"]);
    const none = await new EventClient(port, first.lastId).untilOver();
    expect(none.status).toBe(405);
    const again = await back(port, client, first.lastId).untilData(1);
    expect(again.status).toBe(200);
    await client.notify("notifications/cancelled", { requestId: "call" });
    await again.untilOver();
  });

  test("is cancelled by a message", async () => {
    const { port, client } = await served();
    const first = await slowly(port, client, HOUR_MS, 10_000).untilData(1);
    first.close();
    await client.notify("notifications/cancelled", { requestId: "call" });
    await vi.waitFor(async () => expect(await counted(client)).toMatchObject({ cancelled: 1, inFlight: 0 }));
    const again = await back(port, client, first.lastId).untilOver();
    // What it said before is still told; an answer does not follow.
    expect(again.data.filter((data) => data.includes('"id"'))).toEqual([]);
  });

  test("is cancelled when its session ends", async () => {
    const { port, client } = await served();
    const first = await slowly(port, client, HOUR_MS, 10_000).untilData(1);
    first.close();
    await send({ port, method: "DELETE", path: "/mcp", headers: client.headers });
    expect((await back(port, client, first.lastId).untilOver()).status).toBe(404);
    const other = await initialize(port);
    await vi.waitFor(async () => expect(await counted(other)).toMatchObject({ cancelled: 1, inFlight: 0 }));
  });

  test("does not keep the gateway from ending", async () => {
    const { port, client, front, gateway } = await served();
    const first = await slowly(port, client, HOUR_MS, 10_000).untilData(1);
    first.close();
    await vi.waitFor(() => expect(first.isOver).toBe(true));
    await front.drain({ deadlineMs: 60_000 });
    await gateway.close();
    expect(gateway.sessions.size).toBe(0);
  });
});
