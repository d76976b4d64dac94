import type { ConnectorEntry, PublishedConnector, ServiceMapPayload } from "./service-map-payload.js";

/** From here on a `ttl` is a moment in seconds since the epoch (2001 and later), not a duration (30 years and longer). */
const FIRST_MOMENT = 1_000_000_000;

/**
 * The connectors of a map in one spelling: the one place that normalises (R1).
 *
 * Every received member stays; `name`, `status` and `ttlSeconds` are set where the map used the other spelling. Disabled is what either
 * spelling disables. Applied to its own result it changes nothing. It never throws: an entry that no schema has seen gets `auth: none`
 * and no scopes, and what is no object at all is passed over.
 */
export function connectorsOf(payload: Pick<ServiceMapPayload, "connectors">): readonly ConnectorEntry[] {
  const { connectors }: { connectors?: readonly PublishedConnector[] } = payload;
  return Array.isArray(connectors) ? connectors.filter(isEntry).map(normalised) : [];
}

const isEntry = (entry: unknown): entry is PublishedConnector =>
  typeof entry === "object" && entry !== null && "id" in entry && typeof entry.id === "string";

function normalised(entry: PublishedConnector): ConnectorEntry {
  const { auth, scopes }: Partial<Pick<PublishedConnector, "auth" | "scopes">> = entry;
  const ttlSeconds = entry.ttlSeconds ?? durationOf(entry.ttl);
  return {
    ...entry,
    name: entry.name ?? entry.displayName ?? entry.id,
    status: entry.status === "disabled" || entry.enabled === false ? "disabled" : "enabled",
    auth: auth ?? { type: "none" },
    scopes: scopes ?? [],
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  };
}

const durationOf = (ttl: number | undefined): number | undefined =>
  ttl === undefined || ttl >= FIRST_MOMENT ? undefined : ttl;
