import type { Readable, Writable } from "node:stream";

/** A way to a gateway: a line a message, in both directions. */
export interface GatewayLink {
  readonly toGateway: Writable;
  readonly fromGateway: Readable;
  /** Whether the gateway has a URL, and so is one that somebody may start again. */
  readonly hasUrl: boolean;
  /** The gateway's process, if it said so. */
  readonly pid: number | undefined;
  /** Whether the gateway answers anything at all within so many milliseconds. Never rejects. */
  isAwake(withinMs: number): Promise<boolean>;
  /** Cuts it off. May be called twice. */
  close(): void;
}

/**
 * Who is to come after the last gateway: `anyone`; `itself`, when it ended in good order and may be about to start again; or a `successor`, for which it made room.
 */
export type Expected = "anyone" | "itself" | "successor";

/** Finds the gateway of this home, or becomes it. */
export interface GatewayFinder {
  /**
   * @param expected whom the home is left to for a while, should there be no gateway
   * @throws GatewayError USER_INPUT when there is none to be had; the reason of `signal`
   */
  find(expected: Expected, signal: AbortSignal): Promise<GatewayLink>;
}
