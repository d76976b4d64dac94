import type { ConnectorOrigin } from "./connector-spec.js";
import type { Era } from "./wire/revisions.js";

/** A connector as the API, `list` and `status` show it (design.md, contracts: Shapes). */
export interface ConnectorStatus {
  readonly key: string;
  readonly source: ConnectorOrigin;
  readonly state: "up" | "down" | "connecting" | "disabled";
  /** Why it is down; says what and what to do, holds no secret. */
  readonly reason?: string;
  /** What an operator should know of it, whatever its state; holds no secret. */
  readonly note?: string;
  /** What the upstream speaks, once known. */
  readonly era?: Era;
  /** How many tools it adds to the catalog. */
  readonly tools: number;
  /** What of its lists is not offered because it breaks the specification, each with the reason; the first ten of each list. Absent when all is. */
  readonly leftOut?: readonly string[];
  /** When it entered this state, RFC 3339. */
  readonly since: string;
}
