import type { ReloadReport, ServiceMapStatus } from "@cortex-os/mcp";
import { GATEWAY_ERROR_CODES, type ConnectorStatus, type GatewayErrorCode } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { z } from "zod";
import { ServiceMapStatusSchema } from "./map-views.js";

/** A gateway as `status` shows it. */
export interface GatewayView {
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly tools: number;
  readonly connectors: readonly ConnectorStatus[];
  /** Why a source of connectors, or the configuration, cannot be read; empty when all can. */
  readonly problems: readonly string[];
  /** The service map; absent when none is configured. */
  readonly serviceMap?: ServiceMapStatus;
}

/** One tool as `tools` shows it. */
export interface ToolView {
  /** The public name: what `call` takes. */
  readonly name: string;
  readonly connector: string;
  /** The name at the upstream. */
  readonly tool: string;
  readonly definition: JsonObject;
}

const JsonObjectSchema: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

const ConnectorStatusSchema: z.ZodType<ConnectorStatus> = z.looseObject({
  key: z.string(),
  source: z.enum(["registry", "map"]),
  state: z.enum(["up", "down", "connecting", "disabled"]),
  reason: z.string().exactOptional(),
  note: z.string().exactOptional(),
  era: z.enum(["modern", "legacy"]).exactOptional(),
  tools: z.number(),
  leftOut: z.array(z.string()).exactOptional(),
  since: z.string(),
});

/** The answer of `GET /api/v1/status`; members that a newer gateway adds are kept. */
export const GatewayViewSchema: z.ZodType<GatewayView> = z.looseObject({
  version: z.string(),
  startedAt: z.string(),
  tools: z.number(),
  connectors: z.array(ConnectorStatusSchema),
  problems: z.array(z.string()).default([]),
  serviceMap: ServiceMapStatusSchema.exactOptional(),
});

/** The answer of `GET /api/v1/tools`. */
export const ToolViewsSchema = z.object({
  tools: z.array(z.object({ name: z.string(), connector: z.string(), tool: z.string(), definition: JsonObjectSchema })),
});

const Keys = z.array(z.string());

/** The answer of `POST /api/v1/reload` that names no source. */
export const ReloadReportSchema: z.ZodType<ReloadReport> = z.looseObject({
  configuration: z.looseObject({ changed: Keys, needRestart: Keys }),
  connectors: z.looseObject({ added: Keys, removed: Keys, changed: Keys, unchanged: Keys }),
  tools: z.looseObject({ before: z.number(), after: z.number() }),
  problems: Keys,
});

/** Any JSON object, as the answer of `POST /api/v1/call` is one. */
export const CallResultSchema = JsonObjectSchema;

/** What the control API answers instead when something failed; `code` is our own word for it, for what a person can mend. */
export const ControlErrorSchema = z.object({
  error: z.object({ code: z.number(), message: z.string() }),
  code: z.enum(GATEWAY_ERROR_CODES).optional().catch(undefined),
});

/**
 * The code of a failure as `--json` prints it: a word for what a command itself refuses, a JSON-RPC number for what the
 * gateway or the upstream behind it answered.
 */
export type FailureCode = GatewayErrorCode | number;
