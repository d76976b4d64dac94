import type { GatewayError } from "@cortex-os/mcp-core";

/** A line that was accepted for sending. */
export interface QueuedLine {
  /** Takes the line back. @returns whether not a byte of it has been sent, so that the peer will never hear of it */
  withdraw(): boolean;
  /** The request in it has ended: nothing that is still held for sending it is needed for long. */
  settle?(): void;
}

/** A request on its way out. */
export interface OutgoingRequest {
  readonly method: string;
  /** It could not be delivered: it fails with this error, unless it has ended meanwhile. */
  fail(error: GatewayError): void;
}
