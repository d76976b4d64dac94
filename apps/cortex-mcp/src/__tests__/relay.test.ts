import type { PassThrough } from "node:stream";
import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { fakeGateway, startRelay } from "./relay-set-up.js";

describe("a relay", () => {
  test("keeps what the client says until there is a gateway, and passes lines on in both directions", async () => {
    const { input, ask, next, client } = startRelay();
    ask(1, "ping");
    input.write("\n  \nnonsense\n");
    const gateway = await next(fakeGateway());
    await vi.waitFor(() =>
      expect(gateway.heard.lines).toEqual(['{"jsonrpc":"2.0","id":1,"method":"ping"}', "nonsense"]),
    );
    gateway.say({ jsonrpc: "2.0", id: 1, result: {} });
    await vi.waitFor(() => expect(client.messages).toEqual([{ jsonrpc: "2.0", id: 1, result: {} }]));
  });

  test("goes on with the next gateway: what waits is asked again, a call fails, what comes meanwhile waits", async () => {
    const { ask, next, client, found, logger } = startRelay();
    const first = await next(fakeGateway());
    ask(1, "tools/list");
    ask(2, "tools/call");
    await vi.waitFor(() => expect(first.heard.lines).toHaveLength(2));
    first.die();
    await vi.waitFor(() => expect(client.messages).toMatchObject([{ id: 2, error: { code: -31_001 } }]));
    ask(3, "tools/call");
    await vi.waitFor(() => expect(found).toEqual(["anyone", "anyone"]));
    const second = await next(fakeGateway());
    await vi.waitFor(() => expect(second.heard.messages).toMatchObject([{ id: 1 }, { id: 3 }]));
    expect(logger.messages("info")).toEqual([
      "The gateway is gone; looking for the next one",
      "Went on with the next gateway",
    ]);
    expect(first.link.close).toHaveBeenCalled();
  });

  test("says that a gateway with a URL may return when it ended in good order, and asks calls again then", async () => {
    const { ask, next, client, found } = startRelay();
    const first = await next(fakeGateway(true));
    ask(1, "tools/call");
    await vi.waitFor(() => expect(first.heard.lines).toHaveLength(1));
    first.say({ jsonrpc: "2.0", method: "notifications/cortex-mcp/farewell" });
    first.die();
    await vi.waitFor(() => expect(found).toEqual(["anyone", "itself"]));
    const second = await next(fakeGateway());
    await vi.waitFor(() => expect(second.heard.messages).toMatchObject([{ id: 1, method: "tools/call" }]));
    expect(client.lines).toEqual([]);
  });

  test("waits for the successor of one that made room for it, with a URL or without", async () => {
    const { next, found } = startRelay();
    for (const hasUrl of [false, true]) {
      const gateway = await next(fakeGateway(hasUrl));
      gateway.say({ jsonrpc: "2.0", method: "notifications/cortex-mcp/farewell", params: { successor: true } });
      gateway.die();
    }
    const last = await next(fakeGateway());
    last.die();
    await vi.waitFor(() => expect(found).toEqual(["anyone", "successor", "successor", "anyone"]));
  });

  test("sends nothing into a link that is broken: it waits for the next one", async () => {
    const { ask, next } = startRelay();
    const first = await next(fakeGateway());
    first.link.toGateway.destroy();
    ask(1, "tools/call");
    first.die();
    const second = await next(fakeGateway());
    await vi.waitFor(() => expect(second.heard.messages).toMatchObject([{ id: 1 }]));
  });

  test("ends when the next gateway refuses the session, and says so", async () => {
    const { input, next, running } = startRelay();
    const first = await next(fakeGateway());
    input.write('{"jsonrpc":"2.0","id":1,"method":"initialize"}\n');
    first.say({ jsonrpc: "2.0", id: 1, result: {} });
    await vi.waitFor(() => expect(first.heard.lines).toHaveLength(1));
    input.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    await vi.waitFor(() => expect(first.heard.lines).toHaveLength(2));
    first.die();
    const second = await next(fakeGateway());
    await vi.waitFor(() => expect(second.heard.lines).toHaveLength(2));
    second.say({ jsonrpc: "2.0", id: "cortex-mcp-relay/1", error: { code: -31_003, message: "no room" } });
    await expect(running).rejects.toThrow("the next gateway did not take the session over: no room");
  });

  test("ends with what keeps it from finding a gateway", async () => {
    const { running, refuse, found } = startRelay();
    await vi.waitFor(() => expect(found).toHaveLength(1));
    refuse(new GatewayError("USER_INPUT", "no home"));
    await expect(running).rejects.toThrow("no home");
  });
});

describe("the end of a relay", () => {
  test.each([
    ["input", (streams: { input: PassThrough }) => streams.input.end()],
    ["output", (streams: { output: PassThrough }) => streams.output.destroy(new Error("EPIPE"))],
  ])("is the end of its %s, with a gateway or without", async (_name, end) => {
    const waiting = startRelay();
    end(waiting);
    await waiting.running;
    const linked = startRelay();
    const gateway = await linked.next(fakeGateway());
    linked.ask(1, "ping");
    await vi.waitFor(() => expect(gateway.heard.lines).toHaveLength(1));
    end(linked);
    await linked.running;
    expect(gateway.link.close).toHaveBeenCalled();
    expect(linked.relay.isClientThere).toBe(false);
  });

  test("that comes by a signal closes the subscriptions; a link that comes after it is closed", async () => {
    const { relay, input, next, client, running } = startRelay();
    const gateway = await next(fakeGateway());
    input.write('{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen"}\n');
    await vi.waitFor(() => expect(gateway.heard.lines).toHaveLength(1));
    relay.end();
    relay.end();
    gateway.say({ jsonrpc: "2.0", id: 9, result: {} });
    await running;
    expect(client.messages).toMatchObject([{ id: "l", result: { resultType: "complete" } }]);
    const late = startRelay();
    const link = fakeGateway();
    await late.next(link);
    late.relay.end();
    await late.running;
    expect(link.link.close).toHaveBeenCalled();
  });
});

describe("what a relay holds is bounded", () => {
  test("a message that is too long is refused and not held", async () => {
    const { input, client, next } = startRelay(100);
    input.write(`${"x".repeat(1_000)}\n`);
    await vi.waitFor(() =>
      expect(client.messages).toEqual([
        { jsonrpc: "2.0", error: { code: -32_600, message: "The message is larger than 100 bytes" } },
      ]),
    );
    input.write("{}\n");
    const gateway = await next(fakeGateway());
    await vi.waitFor(() => expect(gateway.heard.lines).toEqual(["{}"]));
  });

  test("R22: its refusal names the request where both ends of the line show which it is", async () => {
    const { input, client } = startRelay(300);
    const [params, jsonrpc] = [{ a: "x".repeat(1_000) }, "2.0"];
    for (const message of [
      { jsonrpc, id: 1, method: "tools/call", params },
      { method: "tools/call", params, jsonrpc, id: "two" },
      { jsonrpc, method: "notifications/x", params },
    ])
      input.write(`${JSON.stringify(message)}\n`);
    await vi.waitFor(() => expect(client.messages).toHaveLength(3));
    expect(client.messages).toMatchObject([{ id: 1, error: { code: -32_600 } }, { id: "two" }, {}]);
    expect(client.messages[2]).not.toHaveProperty("id");
  });

  test("without a gateway the client waits once it has said 4 MiB", async () => {
    const { input, next } = startRelay();
    for (let at = 0; at < 10; at += 1) input.write(`${"x".repeat(900_000)}\n`);
    await vi.waitFor(() => expect(input.isPaused()).toBe(true));
    const gateway = await next(fakeGateway());
    await vi.waitFor(() => expect(gateway.heard.lines).toHaveLength(10));
    expect(input.isPaused()).toBe(false);
  });

  test("a client that does not read is not read from, once its gateway does not read either; a gateway waits for its client", async () => {
    const { input, output, next, client } = startRelay();
    const gateway = await next(fakeGateway());
    const { toGateway, fromGateway } = gateway.link;
    gateway.heard.pause();
    client.pause();
    input.write(`${"x".repeat(500_000)}\n`);
    gateway.say("y".repeat(500_000));
    await vi.waitFor(() => expect([input.isPaused(), fromGateway.isPaused()]).toEqual([true, true]));
    gateway.heard.resume();
    client.resume();
    await vi.waitFor(() => expect([input.isPaused(), fromGateway.isPaused()]).toEqual([false, false]));
    await vi.waitFor(() => expect([gateway.heard.lines.length, client.lines.length]).toEqual([1, 1]));
    expect([toGateway.writableLength, output.writableLength]).toEqual([0, 0]);
  });
});
