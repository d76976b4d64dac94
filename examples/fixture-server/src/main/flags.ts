import { parseArgs } from "node:util";
import { LEGACY_REVISIONS } from "@cortex-os/mcp-core/wire";
import type { FixtureFeatures } from "../fixture-server-options.js";
import type { LegacyRevision } from "../legacy-revisions.js";
import type { ServedEra } from "../http/start-fixture-http.js";

/** What the command lines of both servers say. */
export interface Flags {
  readonly port: number;
  readonly era: ServedEra;
  readonly name: string | undefined;
  readonly tools: number;
  readonly delayMs: number;
  /** Of `tools/list`, on top of `delayMs`. */
  readonly listDelayMs: number;
  readonly ttlMs: number | undefined;
  readonly pageSize: number | undefined;
  readonly resources: number;
  readonly commonResources: boolean;
  readonly features: Required<FixtureFeatures>;
  /** HTTP: Streamable HTTP, or HTTP+SSE of 2024-11-05. */
  readonly transport: "http" | "sse";
  readonly sessions: boolean;
  readonly jsonOnly: boolean;
  readonly resumable: boolean;
  readonly conformance: boolean;
  readonly invalidHeaders: boolean;
  readonly revision: LegacyRevision | undefined;
  readonly ignoreEof: boolean;
  readonly allowCrash: boolean;
}

/** A command line that cannot be meant; the message is for the person who wrote it. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

const SHARED = {
  era: { type: "string", default: "both" },
  name: { type: "string" },
  tools: { type: "string", default: "0" },
  "delay-ms": { type: "string", default: "0" },
  "list-delay-ms": { type: "string", default: "0" },
  "ttl-ms": { type: "string" },
  "page-size": { type: "string" },
  resources: { type: "string", default: "0" },
  "common-resources": { type: "boolean", default: false },
  "no-resources": { type: "boolean", default: false },
  "no-prompts": { type: "boolean", default: false },
  "no-completions": { type: "boolean", default: false },
  "no-logging": { type: "boolean", default: false },
  conformance: { type: "boolean", default: false },
  "invalid-headers": { type: "boolean", default: false },
  revision: { type: "string" },
} as const;
const HTTP_ONLY = {
  port: { type: "string", default: "0" },
  transport: { type: "string", default: "http" },
  "no-sessions": { type: "boolean", default: false },
  "json-only": { type: "boolean", default: false },
  resumable: { type: "boolean", default: false },
} as const;
const STDIO_ONLY = {
  "ignore-eof": { type: "boolean", default: false },
  "allow-crash": { type: "boolean", default: false },
} as const;

/**
 * Reads the flags of one of the two servers.
 * @throws FlagError for a flag the server does not have or a value it cannot use
 */
export function parseFlags(program: "http" | "stdio", argv: readonly string[]): Flags {
  const values = read(argv, { ...SHARED, ...(program === "http" ? HTTP_ONLY : STDIO_ONLY) });
  const number = (flag: string, max: number): number | undefined => {
    const text = values[flag];
    if (typeof text !== "string") return undefined;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
    if (value > max) throw new FlagError(`--${flag} must be a whole number from 0 to ${max}, got ${text}`);
    return value;
  };
  const pageSize = number("page-size", 1_000_000);
  if (pageSize === 0) throw new FlagError("--page-size must be at least 1");
  return {
    port: number("port", 65_535) ?? 0,
    era: eraOf(values["era"]),
    name: typeof values["name"] === "string" ? values["name"] : undefined,
    tools: number("tools", 99_999) ?? 0,
    delayMs: number("delay-ms", 3_600_000) ?? 0,
    listDelayMs: number("list-delay-ms", 3_600_000) ?? 0,
    ttlMs: number("ttl-ms", 999_999_999),
    pageSize,
    resources: number("resources", 99_999) ?? 0,
    commonResources: values["common-resources"] === true,
    features: {
      resources: values["no-resources"] !== true,
      prompts: values["no-prompts"] !== true,
      completions: values["no-completions"] !== true,
      logging: values["no-logging"] !== true,
    },
    transport: transportOf(values),
    sessions: values["no-sessions"] !== true,
    jsonOnly: values["json-only"] === true,
    conformance: values["conformance"] === true,
    resumable: values["resumable"] === true || values["conformance"] === true,
    invalidHeaders: values["invalid-headers"] === true,
    revision: revisionOf(values),
    ignoreEof: values["ignore-eof"] === true,
    allowCrash: values["allow-crash"] === true,
  };
}

type Options = Readonly<Record<string, { type: "string"; default?: string } | { type: "boolean"; default?: boolean }>>;

function read(argv: readonly string[], options: Options): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

function eraOf(value: unknown): ServedEra {
  if (value === "modern" || value === "legacy" || value === "both") return value;
  throw new FlagError(`--era must be modern, legacy or both, got ${String(value)}`);
}

function revisionOf({ revision, era }: Readonly<Record<string, unknown>>): LegacyRevision | undefined {
  if (revision === undefined) return undefined;
  const found = LEGACY_REVISIONS.find((each) => each === revision);
  if (found === undefined) throw new FlagError(`--revision must be one of ${LEGACY_REVISIONS.join(", ")}`);
  if (era !== "legacy") throw new FlagError("--revision bounds a server of the legacy era: --era legacy goes with it");
  return found;
}

function transportOf(values: Readonly<Record<string, unknown>>): "http" | "sse" {
  const { transport = "http", era } = values;
  if (transport === "http") return transport;
  if (transport !== "sse") throw new FlagError(`--transport must be http or sse, got ${String(transport)}`);
  if (era === "modern" || values["no-sessions"] === true || values["json-only"] === true) {
    throw new FlagError(
      "--transport sse is for legacy clients, with a stream each: no --era modern, --no-sessions, --json-only",
    );
  }
  return transport;
}
