import { z } from "zod";
import { DEFAULT_TIMEOUTS, type ConnectorSpec, type ConnectorTransport } from "./connector-spec.js";
import { isConnectorKey } from "./names.js";

const milliseconds = z.number().int().positive().max(2 ** 31 - 1);
const stringRecord = z.record(z.string(), z.string());

/**
 * One entry of `servers.json` (R13). `http` and `streamableHttp` mean the same; unknown fields are kept. An entry with a `command` and no
 * `transport` is stdio, one with an `endpoint` and none is HTTP.
 */
export const ServerInfoSchema = z
  .looseObject({
    name: z.string().refine(isConnectorKey, "a name is 1 to 32 letters, digits, '_' or '-'"),
    transport: z.enum(["stdio", "http", "streamableHttp", "sse", "ws"]).optional(),
    command: z.string().min(1).optional(),
    args: z.array(z.string()).optional(),
    env: stringRecord.optional(),
    cwd: z.string().min(1).optional(),
    endpoint: z.string().min(1).optional(),
    headers: stringRecord.optional(),
    disabled: z.boolean().optional(),
    timeouts: z
      .strictObject({
        connectMs: milliseconds.optional(),
        listMs: milliseconds.optional(),
        callMs: milliseconds.optional(),
        callMaxMs: milliseconds.optional(),
        startMs: milliseconds.optional(),
      })
      .optional(),
    isolation: z.enum(["shared", "principal", "session"]).optional(),
  })
  .superRefine((entry, context) => {
    const transport = transportOf(entry);
    if (transport === "stdio" && entry.command === undefined) {
      context.addIssue({ code: "custom", path: ["command"], message: "a stdio server needs a command" });
    }
    if (transport !== "stdio" && !isHttpUrl(entry.endpoint, transport === "ws")) {
      const message = transport === "ws" ? "needs a ws or wss URL" : "needs an http or https URL";
      context.addIssue({ code: "custom", path: ["endpoint"], message });
    }
  });

/** One entry of `servers.json`; see {@link ServerInfoSchema}. */
export type ServerInfo = z.infer<typeof ServerInfoSchema>;

type TransportName = NonNullable<ServerInfo["transport"]>;

/** The transport an entry names or, when it names none, the one its fields imply. */
export function transportOf(entry: Pick<ServerInfo, "transport" | "command">): TransportName {
  return entry.transport ?? (entry.command === undefined ? "http" : "stdio");
}

function isHttpUrl(endpoint: string | undefined, webSocket: boolean): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const { protocol } = new URL(endpoint);
  return webSocket ? protocol === "ws:" || protocol === "wss:" : protocol === "http:" || protocol === "https:";
}

/**
 * A registry entry as the reconciler wants it, with every default filled in. Never throws for an entry that
 * {@link ServerInfoSchema} accepted.
 */
export function connectorSpecOf(entry: ServerInfo): ConnectorSpec {
  return {
    key: entry.name,
    source: "registry",
    transport: connectorTransportOf(entry),
    disabled: entry.disabled ?? false,
    timeouts: { ...DEFAULT_TIMEOUTS, ...definedOnly(entry.timeouts ?? {}) },
    isolation: entry.isolation ?? "shared",
  };
}

function connectorTransportOf(entry: ServerInfo): ConnectorTransport {
  const transport = transportOf(entry);
  switch (transport) {
    case "stdio":
      return {
        kind: "stdio",
        command: entry.command ?? "",
        args: entry.args ?? [],
        env: entry.env ?? {},
        ...(entry.cwd === undefined ? {} : { cwd: entry.cwd }),
      };
    case "http":
    case "streamableHttp":
      return { kind: "http", url: entry.endpoint ?? "", headers: entry.headers ?? {} };
    case "sse":
      return { kind: "unsupported", reason: "the HTTP+SSE transport of 2024-11-05 is not supported yet" };
    case "ws":
      return { kind: "unsupported", reason: "WebSocket servers are not supported; use streamable HTTP or stdio" };
  }
}

function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in value) {
    const member = value[key];
    if (member !== undefined) kept[key] = member as Exclude<T[typeof key], undefined>;
  }
  return kept;
}
