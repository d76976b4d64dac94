import type { Clock } from "@cortex-os/mcp-core";
import type { UpstreamFacts } from "../link.js";

const MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/** Whether a remembered verdict still counts. One older than a day is found out anew: an upstream may have become modern. */
export const isFresh = ({ detectedAt }: UpstreamFacts, clock: Clock): boolean =>
  clock.now() - Date.parse(detectedAt) < MAX_AGE_MS;
