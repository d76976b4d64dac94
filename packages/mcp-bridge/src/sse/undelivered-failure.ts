import { GatewayError } from "@cortex-os/mcp-core";
import { connectorName, statusFailure } from "../http/failures.js";
import { isSessionLoss } from "../http/refusal.js";
import { quoteUpstream } from "../upstream-text.js";
import type { PostOutcome } from "./post.js";

/** What the request in a message fails with that an HTTP+SSE server did not accept. */
export function undeliveredFailure(key: string, outcome: Exclude<PostOutcome, { kind: "accepted" }>): GatewayError {
  if (outcome.kind === "broken") return outcome.error;
  const { status, text } = outcome;
  const name = connectorName(key);
  if (isSessionLoss(status, text, undefined)) {
    const message = `${name} does not know its session any more (HTTP ${status}), and did not carry the request out`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", message);
  }
  if (status < 400 || status === 401 || status === 403 || status === 429 || status >= 500)
    return statusFailure(key, status, text);
  return new GatewayError("UPSTREAM_PROTOCOL", `${name} refused a message with HTTP ${status} ${quoteUpstream(text)}`);
}
