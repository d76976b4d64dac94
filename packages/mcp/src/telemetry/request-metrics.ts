import { GATEWAY_ERROR_CODES } from "@cortex-os/mcp-core";
import type { Era } from "@cortex-os/mcp-core/wire";
import { Counter, type Registry } from "prom-client";
import type { EndedRequest } from "../gateway/metered-sink.js";
import { OutcomeTally } from "./outcome-tally.js";

/** Why a request was refused before it was understood. */
export const REJECTIONS = ["host", "origin", "headers", "body", "session", "scope"] as const;

/** One of {@link REJECTIONS}. */
export type Rejection = (typeof REJECTIONS)[number];

/** What was served although it may be out of date: a `list`, or the answer to a `call`. */
export type StaleServe =
  | { readonly kind: "list"; readonly reason: "connector" | "map" }
  | { readonly kind: "call"; readonly reason: "map" };

const ERAS = ["modern", "legacy"] as const satisfies readonly Era[];

const STALE_SERVES: readonly StaleServe[] = [
  { kind: "list", reason: "connector" },
  { kind: "list", reason: "map" },
  { kind: "call", reason: "map" },
];

/** What can be seen of clients' requests, whoever answers them (R15). */
export interface RequestMetrics {
  /** A client's request ended, forwarded or not. */
  ended(request: EndedRequest): void;
  rejected(reason: Rejection): void;
  staleServe(served: StaleServe): void;
}

/** Makes them in `registry`. What can be named beforehand is there from the start, at 0: the first of its kind is an increase, too. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const tallies: Readonly<Record<Era, OutcomeTally>> = { modern: new OutcomeTally(), legacy: new OutcomeTally() };
  const requests = new Counter({
    name: "brainwav_mcp_requests_total",
    help: "Requests of clients that ended, those included that the gateway answered itself",
    labelNames: ["era", "method", "outcome"] as const,
    registers,
    collect: () => {
      for (const era of ERAS) {
        tallies[era].drain((method, outcome, count) => {
          requests.inc({ era, method, outcome }, count);
        });
      }
    },
  });
  const errors = new Counter({
    name: "brainwav_mcp_errors_total",
    help: "Requests that ended with an error of the gateway's own; an error that the upstream answered with is an answer",
    labelNames: ["code"] as const,
    registers,
  });
  for (const code of GATEWAY_ERROR_CODES) errors.inc({ code }, 0);
  const rejected = new Counter({
    name: "brainwav_mcp_rejected_requests_total",
    help: "HTTP requests refused before they were understood, so that no other metric counts them",
    labelNames: ["reason"] as const,
    registers,
  });
  for (const reason of REJECTIONS) rejected.inc({ reason }, 0);
  const stale = new Counter({
    name: "brainwav_mcp_stale_serves_total",
    help: "Good answers that may be out of date; connector: lists while a connector in them was not up; map: lists, and calls of its connectors, while the service map was stale",
    labelNames: ["kind", "reason"] as const,
    registers,
  });
  for (const served of STALE_SERVES) stale.inc(served, 0);
  return {
    ended: ({ era, method, outcome, code }) => {
      tallies[era].count(method, outcome);
      if (code !== undefined) errors.inc({ code });
    },
    rejected: (reason) => {
      rejected.inc({ reason });
    },
    staleServe: (served) => {
      stale.inc(served);
    },
  };
}
