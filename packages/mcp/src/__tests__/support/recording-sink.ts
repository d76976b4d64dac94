import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification, JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import type { MessageToClient } from "../../gateway/client-questions.js";
import type { ClientSink } from "../../gateway/client-sink.js";

/** One thing a {@link RecordingSink} was told. */
export type SinkEvent =
  | { readonly kind: "start"; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: "write"; readonly text: string }
  | { readonly kind: "end" }
  | { readonly kind: "notify"; readonly notification: JsonRpcNotification }
  | { readonly kind: "tell"; readonly message: MessageToClient }
  | { readonly kind: "respond"; readonly response: JsonRpcResponse }
  | { readonly kind: "result"; readonly id: RequestId; readonly result: unknown }
  | { readonly kind: "fail"; readonly error: GatewayError }
  | { readonly kind: "abort"; readonly error: GatewayError };

/** A client's way out that keeps what it was told, in order. */
export class RecordingSink implements ClientSink {
  readonly events: SinkEvent[] = [];

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.events.push({ kind: "start", status, headers });
  }

  write(chunk: Uint8Array): boolean {
    this.events.push({ kind: "write", text: Buffer.from(chunk).toString("utf8") });
    return true;
  }

  end(_failure?: GatewayError): void {
    this.events.push({ kind: "end" });
  }

  notify(notification: JsonRpcNotification): void {
    this.events.push({ kind: "notify", notification });
  }

  ask(): undefined {
    return undefined;
  }

  tell(message: MessageToClient): boolean {
    this.events.push({ kind: "tell", message });
    return true;
  }

  respond(response: JsonRpcResponse): void {
    this.events.push({ kind: "respond", response });
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    this.events.push({ kind: "result", id, result: JSON.parse(Buffer.concat(result).toString("utf8")) });
  }

  fail(error: GatewayError): void {
    this.events.push({ kind: "fail", error });
  }

  abort(error: GatewayError): void {
    this.events.push({ kind: "abort", error });
  }

  /** What it was told, when that is one thing; throws otherwise. */
  get only(): SinkEvent {
    const [first, ...others] = this.events;
    if (first === undefined || others.length > 0)
      throw new Error(`told ${this.events.length} things: ${JSON.stringify(this.events)}`);
    return first;
  }

  /** The error it was failed with, when that is all it was told. */
  get failure(): GatewayError {
    if (this.only.kind !== "fail") throw new Error(`not failed but ${JSON.stringify(this.only)}`);
    return this.only.error;
  }
}
