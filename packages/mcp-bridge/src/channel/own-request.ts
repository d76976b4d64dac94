import type { JsonObject, JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { quoteUpstream } from "../upstream-text.js";
import { connectorFailure } from "./connector-failure.js";
import type { Channel, PendingRequest, RequestBounds } from "./channel.js";

/** Bounds of a request of the gateway's own. */
export interface AskOptions extends RequestBounds {
  readonly signal?: AbortSignal;
  /** Longest answer in bytes. @default unbounded but for the longest message */
  readonly maxBytes?: number;
}

/**
 * Sends a request of the gateway's own.
 *
 * @returns the answer, an error of the peer's being one
 * @throws GatewayError as the channel fails the request, UPSTREAM_LIMIT, or CANCELLED when `signal` ended it
 */
export function ask(
  channel: Channel,
  method: string,
  params: JsonObject,
  { signal, maxBytes = Infinity, ...bounds }: AskOptions = {},
): Promise<JsonRpcResponse> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      pending.cancel("cancelled");
      reject(connectorFailure(channel.connectorId, "CANCELLED", `${method} was cancelled`));
    };
    const settle = (): void => signal?.removeEventListener("abort", onAbort);
    const pending: PendingRequest = channel.request(
      method,
      params,
      {
        onAnswer: (answer, bytes) => {
          settle();
          if (bytes <= maxBytes) resolve(answer);
          else
            reject(
              connectorFailure(
                channel.connectorId,
                "UPSTREAM_LIMIT",
                `the answer to ${method} is longer than ${maxBytes} bytes`,
              ),
            );
        },
        onProgress: () => {},
        onFailure: (error) => {
          settle();
          reject(error);
        },
      },
      bounds,
    );
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * {@link ask} for those to whom only a result is an answer.
 *
 * @throws GatewayError as {@link ask}, or UPSTREAM_PROTOCOL for an error of the peer's, with its code as `data.upstreamCode`
 */
export async function ownRequest(
  channel: Channel,
  method: string,
  params: JsonObject,
  options: AskOptions,
): Promise<JsonObject> {
  const answer = await ask(channel, method, params, options);
  if (!("error" in answer)) return answer.result;
  const { code, message } = answer.error;
  const said = `it answered ${method} with error ${code} ${quoteUpstream(message)}`;
  throw connectorFailure(channel.connectorId, "UPSTREAM_PROTOCOL", said, { upstreamCode: code });
}
