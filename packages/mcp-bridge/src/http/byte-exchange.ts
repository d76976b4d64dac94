import type { GatewayError } from "@cortex-os/mcp-core";
import { single, UpstreamExchange } from "./upstream-exchange.js";

/** Response headers that a client may see; the others are between the gateway and its upstream. */
const PASSED_ON = ["content-type", "content-length", "cache-control", "x-accel-buffering"] as const;

/**
 * The hot path (design.md, decision 2): client and upstream speak the same era, and the answer is passed on as the bytes
 * it came in, unread.
 */
export class ByteExchange extends UpstreamExchange {
  #started = false;

  protected override answerStart(status: number, headers: Record<string, string | string[] | undefined>): void {
    this.#started = true;
    this.sink.start(status, passedOn(headers));
  }

  protected override answerData(chunk: Buffer): boolean {
    return this.sink.write(chunk);
  }

  protected override answerEnd(): void {
    this.settle();
    this.sink.end();
  }

  protected override answerRefused(
    status: number,
    headers: Record<string, string | string[] | undefined>,
    body: Buffer,
  ): void {
    this.sink.start(status, passedOn(headers));
    this.sink.write(body);
    this.sink.end();
  }

  protected override broken(error: GatewayError): void {
    if (this.#started) this.sink.abort(error);
    else this.sink.fail(error);
  }
}

function passedOn(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = single(headers[name]);
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
