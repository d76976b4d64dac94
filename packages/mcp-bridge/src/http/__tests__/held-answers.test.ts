import type { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { ByteBudget } from "../../byte-budget.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { modern, upstream } from "./scripted-upstream.js";

const HALF = "x".repeat(60_000);

describe("what unfinished answers hold in memory (R8)", () => {
  test.each([
    ["application/json", LEGACY_CALLER, (id: string) => `{"jsonrpc":"2.0","id":${id},"result":{"x":"${HALF}`, `"}}`],
    [
      "text/event-stream",
      MODERN_CALLER,
      (id: string) => `data: {"jsonrpc":"2.0","id":${id},"result":{"x":"${HALF}`,
      `"}}\n\n`,
    ],
  ])("is bounded for all of them together, as %s; what was held is free again", async (type, caller, begin, end) => {
    const open: ServerResponse[] = [];
    const server = await upstream(
      modern((seen, res) => {
        res.writeHead(200, { "content-type": type });
        res.write(begin(JSON.stringify(seen.message["id"])));
        open.push(res);
      }),
    );
    const budget = new ByteBudget(150_000);
    const { link } = await openLink(server.url, { budget });
    const send = (id: number): RecordingSink => {
      const sink = new RecordingSink();
      link.send(toolCall(caller, id), sink);
      return sink;
    };
    const sinks = [send(1), send(2)];
    await vi.waitFor(() => expect(budget.held).toBeGreaterThan(120_000));
    const third = await send(3).done;
    const refused = third.error ?? third.failure;
    expect(refused?.code).toBe("UPSTREAM_LIMIT");
    expect(refused?.message).toContain("150000 bytes for all answers together");
    for (const res of open) res.end(end);
    await Promise.all(sinks.map((sink) => sink.done));
    expect(sinks.map((sink) => sink.error ?? sink.failure)).toEqual([undefined, undefined]);
    expect(budget.held).toBe(0);
  });

  test("cancelled calls give back what they held", async () => {
    const server = await upstream(
      modern((_, res) => void res.writeHead(200, { "content-type": "application/json" }).write(`{"a":"${HALF}`)),
    );
    const budget = new ByteBudget(150_000);
    const { link } = await openLink(server.url, { budget });
    const exchange = link.send(toolCall(LEGACY_CALLER), new RecordingSink());
    await vi.waitFor(() => expect(budget.held).toBe(60_006));
    exchange.cancel();
    expect(budget.held).toBe(0);
  });
});
