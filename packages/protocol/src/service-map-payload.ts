/** Requests that a connector takes (R9). */
export interface ConnectorQuotas {
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  /** At the same time. */
  readonly concurrent?: number | undefined;
  readonly [member: string]: unknown;
}

/** How long to wait for a connector, in milliseconds (R9). */
export interface PublishedTimeouts {
  readonly connectMs?: number | undefined;
  readonly requestMs?: number | undefined;
  readonly [member: string]: unknown;
}

/** How a connector wants to be shown its credential. */
export interface ConnectorAuth {
  readonly type: "apiKey" | "bearer" | "none";
  /** The header that carries the key instead of the usual one. */
  readonly headerName?: string | undefined;
  readonly [member: string]: unknown;
}

/** What both spellings of a connector have in common. */
interface ConnectorMembers {
  /** Unique in its map; the key of the connector. */
  readonly id: string;
  readonly version: string;
  /** An http or https URL. */
  readonly endpoint: string;
  readonly auth: ConnectorAuth;
  readonly scopes: readonly string[];
  readonly quotas?: ConnectorQuotas | undefined;
  readonly timeouts?: PublishedTimeouts | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly remoteTools?: readonly unknown[] | undefined;
  readonly [member: string]: unknown;
}

/** One connector of a service map exactly as it came: either spelling, unknown members kept (R1). Read it through `connectorsOf`. */
export interface PublishedConnector extends ConnectorMembers {
  readonly name?: string | undefined;
  readonly displayName?: string | undefined;
  /** `enabled` or `disabled`; any word when `enabled` says it. */
  readonly status?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly ttlSeconds?: number | undefined;
  /** Seconds; from some publishers a moment in seconds since the epoch. */
  readonly ttl?: number | undefined;
}

/** One connector in the one spelling that the rest of the gateway knows (R1). */
export interface ConnectorEntry extends ConnectorMembers {
  readonly name: string;
  readonly status: "enabled" | "disabled";
  readonly ttlSeconds?: number | undefined;
}

/** A service map exactly as it came: the signature covers every member but itself. */
export interface ServiceMapPayload {
  /** A ULID, new for each signature. */
  readonly id: string;
  readonly brand: string;
  /** RFC 3339. */
  readonly generatedAt: string;
  readonly ttlSeconds: number;
  readonly connectors: readonly PublishedConnector[];
  /** Which key signed it; covered by the signature. */
  readonly kid?: string | undefined;
  /** base64url without padding. */
  readonly signature?: string | undefined;
  readonly [member: string]: unknown;
}
