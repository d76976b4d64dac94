import type { ClientKind } from "./matrix-client.js";
import { rawLegacy, WIRES } from "./raw-clients.js";
import { legacySdk, modernSdk, SDK_TRANSPORTS } from "./sdk-clients.js";

const older = (revision: string, transport: ClientKind["transport"]): ClientKind => ({
  title: `${revision}, ${transport}`,
  revision,
  era: "legacy",
  transport,
  wire: (gateway) => WIRES[transport](gateway, revision),
  connect: async (gateway) => rawLegacy(`${revision}, ${transport}`, revision, WIRES[transport](gateway, revision)),
});

const ofLegacySdk = (transport: "HTTP" | "stdio"): ClientKind => ({
  ...older("2025-11-25", transport),
  connect: async (gateway) =>
    legacySdk(
      `2025-11-25, ${transport}`,
      SDK_TRANSPORTS.legacy[transport](gateway),
      WIRES[transport](gateway, "2025-11-25"),
    ),
});

const ofModernSdk = (transport: "HTTP" | "stdio"): ClientKind => ({
  ...older("2026-07-28", transport),
  era: "modern",
  connect: async (gateway) =>
    modernSdk(
      `2026-07-28, ${transport}`,
      SDK_TRANSPORTS.modern[transport](gateway),
      WIRES[transport](gateway, "2026-07-28"),
    ),
});

/** The clients of the matrix, oldest first. */
export const MATRIX_CLIENTS: readonly ClientKind[] = [
  older("2024-11-05", "HTTP+SSE"),
  older("2024-11-05", "stdio"),
  older("2025-03-26", "HTTP"),
  older("2025-03-26", "stdio"),
  older("2025-06-18", "HTTP"),
  older("2025-06-18", "stdio"),
  ofLegacySdk("HTTP"),
  ofLegacySdk("stdio"),
  ofModernSdk("HTTP"),
  ofModernSdk("stdio"),
];

/** Those that are also put in front of one connector alone, at an address of its own: one of each era. */
export const ALONE_CLIENTS: readonly ClientKind[] = [ofLegacySdk("HTTP"), ofModernSdk("HTTP")];
