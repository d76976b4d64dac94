import { GatewayError, messageOf } from "@cortex-os/mcp-core";

/** What a proxy says about itself. */
export interface ProxyWord {
  readonly up: boolean;
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
}

/** The word of a proxy that failed: messages of ours are fit for anybody; those of a caller's proxy may name addresses and keys. */
export function wordOf(error: Error): ProxyWord {
  if (GatewayError.is(error)) return { up: false, reason: error.message, detail: error.detail };
  return { up: false, reason: "it could not be connected", detail: messageOf(error) };
}
