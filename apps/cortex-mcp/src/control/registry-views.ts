import type { ChangesResult, PutResult, RegistryContent, RemoveResult } from "@cortex-os/mcp";
import { ServerInfoSchema } from "@cortex-os/mcp-core";
import type { RegistryChange } from "@cortex-os/mcp-registry";
import { z } from "zod";

const kept = { unwritten: z.string().exactOptional() };

/** The answer of `GET /api/v1/registry`; members that a newer gateway adds are kept. */
export const RegistryContentSchema: z.ZodType<RegistryContent> = z.looseObject({
  servers: z.array(ServerInfoSchema),
  problems: z.array(z.string()),
});

const RegistryChangeSchema: z.ZodType<RegistryChange> = z.looseObject({
  seq: z.number(),
  atMs: z.number(),
  kind: z.enum(["added", "changed", "removed", "arranged"]),
  name: z.string().exactOptional(),
  by: z.enum(["command", "hand", "undo", "restore"]),
  group: z.number(),
  undone: z.boolean(),
});

/** The answer of `GET /api/v1/registry/history`. */
export const RegistryHistorySchema = z.looseObject({ changes: z.array(RegistryChangeSchema) });

/** The answer of `POST /api/v1/registry/upsert`. */
export const PutResultSchema: z.ZodType<PutResult> = z.looseObject({
  outcome: z.enum(["added", "replaced", "taken"]),
  ...kept,
});

/** The answer of `POST /api/v1/registry/remove`. */
export const RemoveResultSchema: z.ZodType<RemoveResult> = z.looseObject({ removed: z.boolean(), ...kept });

/** The answer of `POST /api/v1/registry/undo` and `…/restore`. */
export const ChangesResultSchema: z.ZodType<ChangesResult> = z.looseObject({
  changes: z.array(RegistryChangeSchema),
  ...kept,
});
