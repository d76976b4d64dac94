import { createServiceMapSignature } from "@cortex-os/protocol";

/** Long enough for an HMAC key, and easy to find where it must not be. */
export const SIGNATURE_KEY = "canary-signature-key-of-more-than-32-bytes";

/** One entry of a service map. */
export const connector = (id: string, endpoint: string, more: object = {}): object => ({
  id,
  version: "1.0.0",
  name: `The ${id} connector`,
  endpoint,
  auth: { type: "none" },
  scopes: ["tools"],
  status: "enabled",
  ttlSeconds: 300,
  ...more,
});

/** Members of a service map that are to be other than usual. */
export interface MapChanges {
  readonly id?: string;
  /** When it says that it was made, in milliseconds since the epoch. @default now */
  readonly madeAtMs?: number;
  readonly ttlSeconds?: number;
  readonly kid?: string;
}

/** A ULID that sorts as `n` does. */
export const mapId = (n: number): string => `01K1HGWZ00${String(n).padStart(16, "0")}`;

/** A signed service map as a publisher sends it. Whether gateways take it is not looked at. */
export function mapText(connectors: readonly object[], changes: MapChanges = {}, key = SIGNATURE_KEY): string {
  const { id = mapId(0), madeAtMs = Date.now(), ttlSeconds = 300, kid } = changes;
  const map = {
    ...{ id, brand: "brAInwav", generatedAt: new Date(madeAtMs).toISOString(), ttlSeconds, connectors },
    ...(kid === undefined ? {} : { kid }),
  };
  return JSON.stringify({ ...map, signature: createServiceMapSignature(map, key) });
}
