import { startFixtureHttp, type FixtureHttp, type FixtureHttpOptions } from "@cortex-os/fixture-server";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { RemoteProxy } from "../../runtime/remote-proxy.js";
import { LEGACY_CALLER, MODERN_CALLER, specFor, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";

async function fixture(options: FixtureHttpOptions) {
  const server = await startFixtureHttp(options);
  onTestFinished(() => server.close());
  const { proxy, changes } = proxyTo(server);
  return { server, proxy, changes };
}

function proxyTo(server: FixtureHttp) {
  const changes = { count: 0 };
  const onListChanged = (): void => {
    changes.count += 1;
  };
  const proxy = new RemoteProxy({ spec: specFor(server.url), logger: new RecordingLogger(), onListChanged });
  onTestFinished(() => proxy.dispose());
  return { proxy, changes };
}

/** The answer in the caller's era, whether it came as bytes or as a message. */
function answerOf(sink: RecordingSink): unknown {
  if (sink.response !== undefined) return sink.response;
  if (sink.headers["content-type"]?.startsWith("text/event-stream") !== true) return sink.body;
  const data = sink.text.split("\n").filter((line) => line.startsWith("data: {"));
  return JSON.parse(data.at(-1)?.slice("data: ".length) ?? "null");
}

describe.each<[string, FixtureHttpOptions, "modern" | "legacy"]>([
  ["a modern server", { era: "modern" }, "modern"],
  ["a server of both eras", { era: "both" }, "modern"],
  ["a legacy server with sessions", { era: "legacy" }, "legacy"],
  ["a legacy server without sessions", { era: "legacy", sessions: false }, "legacy"],
  ["a modern server that answers in JSON only", { era: "modern", jsonOnly: true }, "modern"],
  ["a legacy server that answers in JSON only", { era: "legacy", jsonOnly: true }, "legacy"],
])("against %s", (_, options, era) => {
  test("it is detected, and its tools are listed", async () => {
    const { proxy } = await fixture(options);
    await proxy.connect();
    expect(proxy.facts?.era).toBe(era);
    const { entries: tools } = await proxy.list("tools");
    expect(tools.map(({ name }) => name)).toContain("echo");
  });

  test.each<[string, Caller]>([
    ["modern", MODERN_CALLER],
    ["legacy", LEGACY_CALLER],
    ["legacy and sessionless", { era: "legacy", revision: "2025-06-18", principal: "anna" }],
  ])("a %s client calls a tool", async (__, caller) => {
    const { proxy } = await fixture(options);
    const call = toolCall(caller, "id-1");
    const sink = new RecordingSink();
    proxy.send({ ...call, params: { ...call.params, arguments: { text: "hello" } } }, sink);
    await sink.done;
    expect(answerOf(sink)).toMatchObject({ id: "id-1", result: { content: [{ type: "text" }] } });
    const answer = answerOf(sink) as { result: { resultType?: string } };
    expect(answer.result.resultType).toBe(caller.era === "modern" ? "complete" : undefined);
  });
});

test("sessions that the server forgot are replaced within the call, for both kinds of clients", async () => {
  const { server, proxy, changes } = await fixture({ era: "legacy" });
  for (const caller of [MODERN_CALLER, LEGACY_CALLER]) {
    const first = new RecordingSink();
    proxy.send(toolCall(caller), first);
    await first.done;
    server.forgetSessions();
    const second = new RecordingSink();
    proxy.send(toolCall(caller, 8), second);
    await second.done;
    expect(answerOf(second)).toMatchObject({ id: 8 });
  }
  await vi.waitFor(() => expect(changes.count).toBeGreaterThan(0));
});

test("disposing leaves the server without sessions and streams", async () => {
  const { server, proxy } = await fixture({ era: "legacy" });
  const sink = new RecordingSink();
  proxy.send(toolCall(LEGACY_CALLER), sink);
  await sink.done;
  expect(server.sessions).toBe(2);
  await proxy.dispose();
  await vi.waitFor(() => expect([server.sessions, server.streams]).toEqual([0, 0]));
});

test("an upstream that is stopped and started again is back within half a second, and nothing else is needed", async () => {
  const first = await startFixtureHttp({ era: "both" });
  const { proxy } = proxyTo(first);
  await proxy.connect();
  await first.close();
  await vi.waitFor(() => expect(proxy.state.kind).toBe("down"));
  const second = await startFixtureHttp({ era: "both", port: first.port });
  onTestFinished(() => second.close());
  await vi.waitFor(
    async () => {
      const sink = new RecordingSink();
      proxy.send(toolCall(MODERN_CALLER), sink);
      await sink.done;
      expect(sink.endings).toEqual(["end"]);
    },
    { interval: 20, timeout: 10_000 },
  );
});
