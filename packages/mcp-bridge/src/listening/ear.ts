import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/** How an ear came to its end. */
export type EarEnd =
  /** The upstream is not there. */
  | { readonly kind: "gone"; readonly error: GatewayError }
  /** It said no. */
  | { readonly kind: "refused"; readonly error: GatewayError }
  /** It ended, broke, or the upstream is not well: another one may do better. */
  | { readonly kind: "ended" };

/** Who listens through an {@link Ear}. Nothing comes after `onEnd`, nor after the ear was closed. */
export interface EarListener {
  /** The upstream has begun to answer. */
  onOpen(): void;
  onNotification(notification: JsonRpcNotification): void;
  onEnd(end: EarEnd): void;
}

/** One stream, or one subscription, on which an upstream tells what nobody asked for. */
export interface Ear {
  /** Ends it, at the upstream too. Idempotent. */
  close(): void;
}
