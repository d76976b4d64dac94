import { GatewayError } from "@cortex-os/mcp-core";
import { connectorName, statusFailure } from "../http/failures.js";
import { isSessionLoss } from "../http/refusal.js";
import { quoteUpstream } from "../upstream-text.js";
import type { PostOutcome } from "./post.js";

/**
 * Whether a refusal means that the server has forgotten the whole connection; then why it is of no use any more, also for others.
 *
 * @returns `undefined` when it speaks of this message alone
 */
export function sessionLoss(key: string, outcome: PostOutcome): GatewayError | undefined {
  if (outcome.kind !== "refused" || !isSessionLoss(outcome.status, outcome.text, undefined)) return undefined;
  const message = `${connectorName(key)} does not know its session any more (HTTP ${outcome.status})`;
  return new GatewayError("UPSTREAM_UNAVAILABLE", message);
}

/** What the request in a message fails with that an HTTP+SSE server did not accept. */
export function undeliveredFailure(key: string, outcome: Exclude<PostOutcome, { kind: "accepted" }>): GatewayError {
  if (outcome.kind === "broken") return outcome.error;
  const loss = sessionLoss(key, outcome);
  if (loss !== undefined) return new GatewayError(loss.code, `${loss.message}, and did not carry the request out`);
  const { status, text } = outcome;
  if (status < 400 || status === 401 || status === 403 || status === 429 || status >= 500)
    return statusFailure(key, status, text);
  return new GatewayError(
    "UPSTREAM_PROTOCOL",
    `${connectorName(key)} refused a message with HTTP ${status} ${quoteUpstream(text)}`,
  );
}
