import { z } from "zod";
import { placeIn, type Place } from "./place.js";

// Parsing is for the answer only: what counts is the document as it came, because the signature covers every member of it, unknown ones
// included. So nothing here has a default, is coerced, trimmed or stripped; `connectorsOf` normalises, later and elsewhere.

const HTTP_URL = /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/;
/** A token (RFC 9110, 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What a header's value may hold (RFC 9110, 5.5). */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const text = (): z.ZodString => z.string().min(1, "must not be empty");
const count = (): z.ZodNumber => z.number().int("must be an integer").positive("must be positive");

const endpoint = z
  .string()
  .regex(HTTP_URL, { error: "must be an http or https URL without user information", abort: true })
  .refine((url) => URL.canParse(url), "must be an http or https URL")
  .meta({ format: "uri" });

const auth = z.looseObject({
  type: z.enum(["apiKey", "bearer", "none"]),
  headerName: z.string().regex(HEADER_NAME, "must be the name of a header").optional(),
});

const quotas = z.looseObject({
  perMinute: count().optional(),
  perHour: count().optional(),
  perDay: count().optional(),
  concurrent: count().optional(),
});

const timeouts = z.looseObject({ connectMs: count().optional(), requestMs: count().optional() });

/** In JSON Schema what {@link publishedConnectorSchema} asks for beyond zod's words: two spellings, one of them is needed. */
const oneOrBoth = (...spellings: readonly string[][]): object => ({
  anyOf: spellings.map((required) => ({ type: "object", required })),
});

/** One connector of a map as publishers write it, in either spelling (R1). Members that it does not name may hold anything. */
export const publishedConnectorSchema = z
  .looseObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/, "must be 1 to 32 letters, digits, _ or -")
      .describe("Unique in the map: the prefix of its tools."),
    version: text().describe("Another one makes every gateway reconnect."),
    name: text().optional(),
    displayName: text().optional().describe("Another spelling of name."),
    endpoint,
    auth,
    scopes: z.array(text()).min(1, "must name at least one scope"),
    status: z.string().optional(),
    enabled: z.boolean().optional().describe("Another spelling of status, which may then be any word."),
    ttlSeconds: count().optional(),
    ttl: count().optional().describe("Another spelling of ttlSeconds, or a moment in seconds since the epoch."),
    quotas: quotas.optional(),
    timeouts: timeouts.optional(),
    headers: z
      .record(
        z.string().regex(HEADER_NAME, "must be the name of a header"),
        z.string().regex(HEADER_VALUE, "must be a header's value"),
      )
      .optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
    tags: z.array(z.string()).optional(),
    description: z.string().optional(),
    remoteTools: z.array(z.unknown()).optional(),
  })
  .superRefine((connector, context) => {
    const missing = (message: string, path: string): void =>
      context.addIssue({ code: "custom", message, path: [path] });
    if (connector.name === undefined && connector.displayName === undefined)
      missing("is needed, or displayName", "name");
    if (connector.ttlSeconds === undefined && connector.ttl === undefined) missing("is needed, or ttl", "ttlSeconds");
    if (connector.enabled === undefined && connector.status !== "enabled" && connector.status !== "disabled") {
      missing('must be "enabled" or "disabled", unless there is `enabled: true` or `false`', "status");
    }
  })
  .meta({
    description: "One MCP server. Members that are not listed here are kept and covered by the signature.",
    allOf: [
      oneOrBoth(["name"], ["displayName"]),
      oneOrBoth(["ttlSeconds"], ["ttl"]),
      {
        anyOf: [
          { type: "object", required: ["enabled"] },
          { type: "object", required: ["status"], properties: { status: { enum: ["enabled", "disabled"] } } },
        ],
      },
    ],
  });

/** The connectors of a map: none is fine, an id that occurs twice is not. */
export const publishedConnectorsSchema = z.array(publishedConnectorSchema).superRefine((connectors, context) => {
  const seen = new Map<string, number>();
  for (const [at, { id }] of connectors.entries()) {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, at);
    else context.addIssue({ code: "custom", message: `is connectors[${first}]'s already`, path: [at, "id"] });
  }
});

/** A service map as it is fetched (R1): signed. Whether the signature is right is another question (see `readServiceMap`). */
export const serviceMapResponseSchema = z.looseObject({
  id: z
    .string()
    .regex(/^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/, "must be a ULID")
    .describe("A ULID, new for each signature."),
  brand: text(),
  generatedAt: z.iso.datetime({ offset: true, error: "must be a date and time as in RFC 3339, with Z or an offset" }),
  ttlSeconds: count().describe("How long it may be used from generatedAt on, at most 86400 (a day)."),
  connectors: publishedConnectorsSchema,
  kid: text().optional().describe("Which key of the gateways' key ring signed it."),
  signature: text().describe(
    "HMAC-SHA256 or Ed25519 over the canonical JSON (RFC 8785) without this member, as base64url without padding.",
  ),
});

/** What is wrong with a document, and where. */
export interface SchemaProblem {
  readonly place: Place;
  readonly message: string;
}

/** @returns what {@link serviceMapResponseSchema} says against a document; nothing when it is a service map. Never quotes a value. */
export function problemsOfServiceMap(document: unknown): readonly SchemaProblem[] {
  const parsed = serviceMapResponseSchema.safeParse(document, { error: wordingOf });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => ({ place: placeIn(path), message }));
}

/** The words where a schema has none of its own: zod's speak of TypeScript. */
function wordingOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${KIND[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "invalid_key":
      return "is no name of a header";
    default:
      return undefined;
  }
}

const KIND: Readonly<Record<string, string>> = {
  array: "an array",
  boolean: "true or false",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a text",
};
