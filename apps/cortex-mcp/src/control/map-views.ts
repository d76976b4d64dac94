import type { KnownMap, MapDiff, MapOperationResult, ServiceMapStatus, ShownConnector } from "@cortex-os/mcp";
import { z } from "zod";

const text = z.string();
const Named = z.looseObject({ id: text, generatedAt: text });

/** `serviceMap` of a gateway's status; members that a newer gateway adds are kept. */
export const ServiceMapStatusSchema: z.ZodType<ServiceMapStatus> = z.looseObject({
  url: text,
  mode: z.enum(["background", "synchronous"]),
  state: z.enum(["none", "fresh", "stale", "expired"]),
  id: text.exactOptional(),
  generatedAt: text.exactOptional(),
  keyId: text.exactOptional(),
  connectors: z.number().exactOptional(),
  ageSeconds: z.number().exactOptional(),
  expiresAt: text.exactOptional(),
  staleUntil: text.exactOptional(),
  lastSuccessAt: text.exactOptional(),
  lastAttemptAt: text.exactOptional(),
  lastError: text.exactOptional(),
  nextRefreshAt: text.exactOptional(),
  circuit: z.enum(["closed", "open", "half-open"]),
  failures: z.number(),
  pinned: text.exactOptional(),
  held: Named.extend({ removed: z.array(text), reason: text }).exactOptional(),
});

/** The service map of a running gateway. */
export interface MapView {
  readonly status: ServiceMapStatus;
  /** Those that are kept: the held one, the one accepted last, those before it. */
  readonly known: readonly KnownMap[];
  /** What the map in force names or, when it is too old to be served, that one. */
  readonly connectors: readonly ShownConnector[];
}

/** The answer of `GET /api/v1/map`. */
export const MapViewSchema: z.ZodType<MapView> = z.looseObject({
  status: ServiceMapStatusSchema,
  connectors: z
    .array(
      z.looseObject({ id: text, name: text, version: text, endpoint: text, status: z.enum(["enabled", "disabled"]) }),
    )
    .default([]),
  known: z.array(
    Named.extend({
      connectors: z.number(),
      role: z.enum(["accepted", "held", "previous"]),
      pinned: z.boolean(),
      connectorsDigest: text.exactOptional(),
    }),
  ),
});

/** The answer of `GET /api/v1/map/diff`. */
export const MapDiffSchema: z.ZodType<MapDiff> = z.looseObject({
  from: Named.exactOptional(),
  to: Named.exactOptional(),
  added: z.array(text),
  removed: z.array(text),
  changed: z.array(z.looseObject({ id: text, members: z.array(text) })),
  unchanged: z.number(),
});

/** The answer of `POST /api/v1/map`. */
export const MapOperationResultSchema: z.ZodType<MapOperationResult> = z.looseObject({
  message: text,
  id: text.exactOptional(),
});
