import { parseManifest, type PublisherManifest } from "@cortex-os/protocol";

/** A manifest with one connector for each endpoint, with what a published entry usually says. `edition` is in it, so that another one makes another map. */
export function mapManifest(endpoints: readonly string[], ttlSeconds = 300, edition = 0): PublisherManifest {
  const connectors = endpoints.map((endpoint, at) => ({
    id: connectorId(at),
    version: "1.0.0",
    name: `Connector ${at}`,
    endpoint,
    auth: { type: "none" },
    scopes: ["tools:read", "tools:call"],
    status: "enabled",
    ttlSeconds,
    timeouts: { connectMs: 5_000, requestMs: 30_000 },
    tags: ["benchmark"],
    description: "A connector of the benchmark, described as briefly as people do.",
  }));
  return parseManifest(JSON.stringify({ brand: "brAInwav", ttlSeconds, edition, connectors }), "of the benchmark");
}

/** The id of the connector at that place in the map. */
export const connectorId = (at: number): string => `connector-${String(at).padStart(4, "0")}`;
