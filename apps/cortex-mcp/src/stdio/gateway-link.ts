import type { Readable, Writable } from "node:stream";

/** A way to a gateway: a line a message, in both directions. */
export interface GatewayLink {
  readonly toGateway: Writable;
  readonly fromGateway: Readable;
  /** Whether the gateway has a URL, and so is one that somebody may start again. */
  readonly hasUrl: boolean;
  /** Cuts it off. May be called twice. */
  close(): void;
}

/** Finds the gateway of this home, or becomes it. */
export interface GatewayFinder {
  /**
   * @param mayReturn the last gateway ended in good order and may be about to start again
   * @throws GatewayError USER_INPUT when there is none to be had; the reason of `signal`
   */
  find(mayReturn: boolean, signal: AbortSignal): Promise<GatewayLink>;
}
