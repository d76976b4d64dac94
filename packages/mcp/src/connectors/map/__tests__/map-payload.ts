import type { PublishedConnector, ServiceMapPayload } from "@cortex-os/protocol";

/** A connector of a map that differs from another in what is given. */
export function entryOf(id: string, overrides: Partial<PublishedConnector> = {}): PublishedConnector {
  return {
    id,
    version: "1.0.0",
    name: id,
    endpoint: `https://${id.toLowerCase()}.example/mcp`,
    auth: { type: "none" },
    scopes: ["tools"],
    status: "enabled",
    ttlSeconds: 300,
    ...overrides,
  };
}

/** A map of these connectors, as it is once its signature was verified. */
export function payloadOf(
  connectors: readonly PublishedConnector[],
  overrides: Partial<ServiceMapPayload> = {},
): ServiceMapPayload {
  return {
    id: "01HF7YAT00AAAAAAAAAAAAAAAA",
    brand: "brAInwav",
    generatedAt: "2023-11-14T22:13:20.000Z",
    ttlSeconds: 300,
    signature: "none",
    ...overrides,
    connectors,
  };
}
