import { PassThrough } from "node:stream";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { expect, onTestFinished, vi } from "vitest";
import type { Expected, GatewayFinder, GatewayLink } from "../stdio/gateway-link.js";
import { Relay } from "../stdio/relay.js";
import { lineStream, type LineStream } from "./line-stream.js";

/** What a relay takes for a gateway. */
export interface FakeGateway {
  /** What the relay sends it. */
  readonly heard: LineStream;
  readonly link: GatewayLink;
  say(message: object | string): void;
  die(): void;
}

/** A gateway that says what the test says. */
export function fakeGateway(hasUrl = false): FakeGateway {
  const [toGateway, fromGateway] = [new PassThrough(), new PassThrough()];
  const die = (): void => {
    toGateway.destroy();
    fromGateway.end();
  };
  return {
    heard: lineStream(toGateway),
    link: {
      toGateway,
      fromGateway,
      hasUrl,
      pid: 4711,
      isAwake: vi.fn<() => Promise<boolean>>(async () => true),
      close: vi.fn<() => void>(die),
    },
    say: (message) => fromGateway.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`),
    die,
  };
}

/** A relay whose gateways come when the test says so. */
export function startRelay(maxMessageBytes = 1_000_000) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const logger = new RecordingLogger();
  const timers = new ManualTime();
  const found: Expected[] = [];
  let given = 0;
  let give: (link: GatewayLink) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const finder: GatewayFinder = {
    find: (expected, signal) =>
      new Promise((resolve, reject) => {
        found.push(expected);
        [give, refuse] = [resolve, reject];
        signal.addEventListener("abort", () => reject(new Error("called off")), { once: true });
      }),
  };
  const relay = new Relay({ input, output, finder, maxMessageBytes, logger, timers });
  const running = relay.run();
  running.catch(() => {});
  onTestFinished(async () => {
    input.destroy();
    await running.catch(() => {});
  });
  const client = lineStream(output);
  const next = async (gateway: FakeGateway): Promise<FakeGateway> => {
    given += 1;
    await vi.waitFor(() => expect(found).toHaveLength(given));
    give(gateway.link);
    return gateway;
  };
  const ask = (id: number, method: string): void =>
    void input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method })}\n`);
  return {
    timers,
    input,
    output,
    relay,
    running,
    client,
    next,
    ask,
    logger,
    found,
    refuse: (error: Error) => refuse(error),
  };
}
