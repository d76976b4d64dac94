import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { expect, test } from "vitest";
import { Channel } from "../channel.js";
import type { OutgoingRequest } from "../queued-line.js";

function channelUnderTest() {
  const outgoing: (OutgoingRequest | undefined)[] = [];
  let settled = 0;
  const failures: GatewayError[] = [];
  const channel = new Channel({
    ...{
      connectorId: "demo",
      timers: new ManualTime(),
      monotonic: new ManualTime(),
      logger: new RecordingLogger(),
      output: "its event stream",
    },
    redact: (text) => text,
    write: (_, request) => {
      outgoing.push(request);
      return { withdraw: () => false, settle: () => void (settled += 1) };
    },
    onRequest: () => {},
    onNotification: () => {},
  });
  const request = () =>
    channel.request(
      "tools/call",
      {},
      { onAnswer: () => {}, onProgress: () => {}, onFailure: (error) => failures.push(error) },
    );
  return { channel, outgoing, failures, request, settled: () => settled };
}

const lost = new GatewayError("UPSTREAM_UNAVAILABLE", "it was not delivered");

test("a request that could not be delivered fails with the reason, once, and no other with it", () => {
  const { channel, failures, outgoing, request } = channelUnderTest();
  request();
  request();
  outgoing[0]?.fail(lost);
  outgoing[0]?.fail(lost);
  expect(failures).toEqual([lost]);
  expect(channel.pending).toBe(1);
});

test("what is sent says whether it asks something, and is told when its request has ended", () => {
  const { channel, outgoing, request, settled } = channelUnderTest();
  request();
  channel.notify("notifications/initialized");
  expect(outgoing.map((each) => each?.method)).toEqual(["tools/call", undefined]);
  expect(settled()).toBe(0);
  channel.accept('{"jsonrpc":"2.0","id":1,"result":{}}', 1);
  expect(settled()).toBe(1);
  outgoing[0]?.fail(lost);
  expect(settled()).toBe(1);
});
