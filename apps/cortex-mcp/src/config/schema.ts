import {
  DEFAULT_CACHE_BYTES,
  DEFAULT_CATALOG_POLICY,
  DEFAULT_CHILDREN,
  DEFAULT_HTTP_LIMITS,
  DEFAULT_STARTUP,
  DEFAULT_STREAM_POLICY,
} from "@cortex-os/mcp";
import { DEFAULT_NAME_POLICY, LONGEST_DELAY_MS } from "@cortex-os/mcp-core";
import { z } from "zod";
import { isLoopbackHost } from "./loopback.js";
import { isOrigin, mapUrlProblem } from "./web-address.js";

const MOST_BYTES = 1024 ** 3;
const milliseconds = z.int().min(0).max(LONGEST_DELAY_MS);
const positiveMs = z.int().min(1).max(LONGEST_DELAY_MS);

/** Ten years: it may exceed the longest timer, but not what a clock can tell. */
const LONGEST_STALE_MS = 10 * 365 * 86_400_000;
const WEEK_MS = 7 * 86_400_000;

const host = z
  .string()
  .refine(
    isLoopbackHost,
    "only this machine may be served until inbound authentication exists: use 127.0.0.1, ::1 or localhost",
  );

const origin = z
  .string()
  .refine(isOrigin, "must be an origin, such as https://host or http://host:8080: no path, no user, no default port");

/**
 * The whole configuration: `config.json`, the environment (`CORTEX_MCP_` and the path in capitals) and the flags of `serve`
 * all end here. Strict: a misspelt key is refused, not ignored.
 */
export const ConfigSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where this file's JSON Schema is, for editors. Not used by the gateway."),
    host: host.default("127.0.0.1").describe("Address to listen on; a loopback address."),
    port: z.int().min(0).max(65_535).default(7420).describe("TCP port to listen on; 0 takes a free one."),
    allowedHosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Host names that clients may use beside localhost, 127.0.0.1 and ::1, such as the name of a proxy in front.",
      ),
    allowedOrigins: z
      .array(z.string().min(1))
      .default([])
      .describe("Origins of web pages that may call the gateway, such as https://app.example."),
    legacySse: z
      .boolean()
      .default(false)
      .describe("Also serve /sse and /messages, for clients that know the transport of 2024-11-05 only."),
    names: z
      .strictObject({
        separator: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,4}$/, "must be 1 to 4 letters, digits, '_', '.' or '-'")
          .default(DEFAULT_NAME_POLICY.separator)
          .describe("Between a connector's name and its tool's."),
        maxLength: z
          .int()
          .min(16)
          .max(128)
          .default(DEFAULT_NAME_POLICY.maxLength)
          .describe(
            "Longest public tool name in characters; model APIs stop at 64 and clients add a prefix of their own.",
          ),
        prefix: z
          .enum(["always", "auto", "never"])
          .default(DEFAULT_NAME_POLICY.prefix)
          .describe("Whether tools carry their connector's name: always, only where two connectors clash, or never."),
      })
      .prefault({})
      .describe("How the public names of tools are made."),
    lists: z
      .strictObject({
        ttlMs: milliseconds
          .default(DEFAULT_CATALOG_POLICY.ttlMs)
          .describe("How long clients may keep a list, in milliseconds."),
        pageSize: z
          .int()
          .min(1)
          .max(10_000)
          .default(DEFAULT_CATALOG_POLICY.pageSize)
          .describe("Entries on a page of a list."),
      })
      .prefault({})
      .describe("Lists as clients get them."),
    cache: z
      .strictObject({
        bytes: z
          .int()
          .min(0)
          .max(MOST_BYTES)
          .default(DEFAULT_CACHE_BYTES)
          .describe(
            "Most memory for resources that connectors say may be read once more without asking them, in bytes. 0: each read goes to its connector.",
          ),
      })
      .prefault({})
      .describe("What the gateway answers without asking a connector again."),
    startup: z
      .strictObject({
        width: z
          .union([z.int().min(1).max(1_024), z.literal("adaptive")])
          .default(DEFAULT_STARTUP.width)
          .describe(
            "How many connectors start at a time: a number, or adaptive for as many as is of use, children by how many processors there are.",
          ),
        graceMs: milliseconds
          .default(DEFAULT_STARTUP.graceMs)
          .describe("How long lists wait after the first connector came up, in milliseconds."),
        maxMs: milliseconds
          .default(DEFAULT_STARTUP.maxMs)
          .describe("How long lists wait at most after a start, in milliseconds."),
      })
      .prefault({})
      .describe("How connectors start, and what lists wait for meanwhile."),
    children: z
      .strictObject({
        start: z
          .enum(["eager", "onDemand"])
          .default(DEFAULT_CHILDREN.start)
          .describe(
            "Whether servers over stdio start with the gateway, or when something is asked of them that what they listed last does not answer. One whose lists are not known starts in any case. An entry's own children.start wins.",
          ),
        idleMs: milliseconds
          .default(DEFAULT_CHILDREN.idleMs)
          .describe(
            "After how long without a request a server over stdio is stopped, in milliseconds, to be started again by the next one; 0: never. A server loses what it keeps in its process. An entry's own children.idleMs wins.",
          ),
      })
      .prefault({})
      .describe("How the processes of servers over stdio live. Takes effect with a restart."),
    limits: z
      .strictObject({
        bodyBytes: z
          .int()
          .min(1024)
          .max(MOST_BYTES)
          .default(DEFAULT_HTTP_LIMITS.bodyBytes)
          .describe("Largest request body in bytes."),
        headersMs: positiveMs
          .default(DEFAULT_HTTP_LIMITS.headersMs)
          .describe("How long a client may take to send a request's headers, in milliseconds."),
        requestMs: positiveMs
          .default(DEFAULT_HTTP_LIMITS.requestMs)
          .describe("How long a client may take to send a whole request, in milliseconds."),
        connections: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(DEFAULT_HTTP_LIMITS.connections)
          .describe("Most connections at once."),
        slowReaderMs: positiveMs
          .default(DEFAULT_HTTP_LIMITS.slowReaderMs)
          .describe("How long a client may take nothing of its answer before it is cut off, in milliseconds."),
      })
      .prefault({})
      .describe("Bounds on what clients may send and hold."),
    streams: z
      .strictObject({
        keepMs: positiveMs
          .default(DEFAULT_STREAM_POLICY.keepMs)
          .describe(
            "How long a call whose client lost its connection goes on and waits for the client to come back, in milliseconds; then it is cancelled.",
          ),
        maxConnectionMs: milliseconds
          .default(DEFAULT_STREAM_POLICY.maxConnectionMs)
          .describe(
            "After how long the gateway ends a connection on which a call still waits and lets the client come back for the answer, in milliseconds; 0: never. For proxies that cut long connections; clients of 2025-11-25 only.",
          ),
      })
      .prefault({})
      .describe("Event streams of clients with a session, over Streamable HTTP."),
    serviceMap: z
      .strictObject({
        url: z
          .string()
          .superRefine((text, check) => {
            const problem = mapUrlProblem(text);
            if (problem !== undefined) check.addIssue({ code: "custom", message: problem });
          })
          .optional()
          .describe(
            "Where the signed service map is published, http or https. Not set: no service map. Environment: CONNECTORS_SERVICE_MAP_URL.",
          ),
        keysFile: z
          .string()
          .min(1)
          .optional()
          .describe(
            "JWK Set file with the keys that the map's signature may be checked with, read anew at each fetch. A relative path counts from the folder of this file or, in the environment (CONNECTORS_KEYS_FILE), from the working folder. One HMAC key may be given as CONNECTORS_SIGNATURE_KEY instead, in the environment only.",
          ),
        apiKey: z
          .string()
          .min(1)
          .optional()
          .describe(
            "API key to fetch the map with. Not set: CONNECTORS_API_KEY of the environment, if the map's origin is one of credentialOrigins. Better kept out of this file: CORTEX_MCP_SERVICE_MAP_API_KEY.",
          ),
        credentialOrigins: z
          .array(origin)
          .optional()
          .describe(
            "Origins that CONNECTORS_API_KEY may be sent to, such as https://tools.example. Not set: the map's own origin.",
          ),
        allowedOrigins: z
          .array(origin)
          .optional()
          .describe(
            "Origins at which the map's connectors may be on plain http or on private addresses. Not set: none, or loopback when the map itself is on loopback.",
          ),
        maxStaleMs: z
          .int()
          .min(0)
          .max(LONGEST_STALE_MS)
          .default(WEEK_MS)
          .describe("How long a map is still served after it expired, when no newer one can be had, in milliseconds."),
        timeoutMs: positiveMs.default(5_000).describe("How long fetching the map may take, in milliseconds."),
        refreshIntervalMs: positiveMs
          .default(300_000)
          .describe(
            "How often the map is fetched in the background, in milliseconds. Environment: MCP_CONNECTOR_REFRESH_INTERVAL_MS.",
          ),
        refreshSync: z
          .boolean()
          .default(false)
          .describe(
            "Fetch the map only when it is needed and has expired, not in the background. Environment: MCP_CONNECTOR_REFRESH_SYNC.",
          ),
        holdRemovals: z
          .boolean()
          .default(true)
          .describe(
            "Hold a new map that drops more than half of the connectors, and at least three, until cortex-mcp map accept.",
          ),
      })
      .prefault({})
      .describe("The signed service map that an organisation publishes: which connectors there are."),
    log: z
      .strictObject({
        level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least important lines to write."),
      })
      .prefault({})
      .describe("Log lines on standard error."),
    drainMs: z
      .int()
      .min(0)
      .max(8_000)
      .default(5_000)
      .describe("How long calls in flight may take to finish after SIGTERM, in milliseconds."),
    drainMinMs: z
      .int()
      .min(0)
      .max(5_000)
      .default(250)
      .describe(
        "How long new connections are still accepted after SIGTERM, in milliseconds, so that a balancer can read on /readyz that this gateway is draining.",
      ),
  })
  .describe("Configuration of cortex-mcp.");

/** The configuration with every default filled in. */
export type Config = z.output<typeof ConfigSchema>;

/** The published JSON Schema of `config.json` (2020-12). */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(ConfigSchema, { io: "input" }) };
}
