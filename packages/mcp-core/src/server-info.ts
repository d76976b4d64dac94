import { z } from "zod";
import {
  DEFAULT_TIMEOUTS,
  type ChildrenPolicy,
  type ConnectorSpec,
  type ConnectorTimeouts,
  type ConnectorTransport,
  type OAuthSettings,
} from "./connector-spec.js";
import { isConnectorKey } from "./names.js";
import { LONGEST_DELAY_MS } from "./timers.js";

const milliseconds = z.number().int().positive().max(LONGEST_DELAY_MS);
const stringRecord = z.record(z.string(), z.string());

/** How a server is authorised by OAuth. Other clients write some of it too: `clientId`, `callbackPort`, scopes with blanks between them or as a list. */
const oauth = z
  .looseObject({
    enabled: z.boolean().optional(),
    grant: z.enum(["authorization_code", "client_credentials"]).optional(),
    clientId: z.string().min(1).optional(),
    clientSecretEnv: z.string().min(1).optional(),
    clientSecretFile: z.string().min(1).optional(),
    clientMetadataUrl: z.url({ protocol: /^https$/ }).optional(),
    scopes: z.union([z.string(), z.array(z.string().min(1))]).optional(),
    issuer: z.url({ protocol: /^https?$/ }).optional(),
    callbackPort: z.number().int().min(1).max(65_535).optional(),
  })
  .superRefine(({ clientSecret }, context) => {
    if (clientSecret === undefined) return;
    const message = "a secret does not belong here: name a variable in clientSecretEnv, or a file in clientSecretFile";
    context.addIssue({ code: "custom", path: ["clientSecret"], message });
  });

/**
 * One entry of `servers.json` (R13). `http` and `streamableHttp` mean the same; unknown fields are kept, except `__proto__`, which is
 * dropped here and in `env` and `headers`. An entry with a `command` and no `transport` is stdio, one with an `endpoint` and none is
 * HTTP. Each issue of a refusal has the field in its `path` (print both); no message repeats a value, which could be a secret.
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
    children: z
      .strictObject({
        start: z.enum(["eager", "onDemand"]).optional(),
        idleMs: z.number().int().min(0).max(LONGEST_DELAY_MS).optional(),
      })
      .optional(),
    oauth: oauth.optional(),
  })
  .superRefine((entry, context) => {
    const transport = transportOf(entry);
    if (transport === "stdio" && entry.command === undefined) {
      context.addIssue({ code: "custom", path: ["command"], message: "a stdio server needs a command" });
    }
    if (transport !== "stdio" && !isHttpUrl(entry.endpoint, transport === "ws")) {
      const kind = transport === "ws" ? "a ws or wss URL" : "an http or https URL";
      const message =
        entry.transport === undefined && entry.endpoint === undefined
          ? `a server needs a command, or an endpoint that is ${kind}`
          : `a server of transport ${transport} needs an endpoint that is ${kind}`;
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
    timeouts: timeoutsOf(entry.timeouts ?? {}),
    isolation: entry.isolation ?? "shared",
    ...childrenOf(entry),
  };
}

/** Absent unless something is said of them: the fingerprints of all other entries stay what they were. */
function childrenOf({ children: given }: ServerInfo): { readonly children?: Partial<ChildrenPolicy> } {
  if (given === undefined) return {};
  const { start, idleMs } = given;
  return {
    children: { ...(start === undefined ? {} : { start }), ...(idleMs === undefined ? {} : { idleMs }) },
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
      return { kind: "http", url: entry.endpoint ?? "", headers: entry.headers ?? {}, ...oauthOf(entry) };
    case "sse":
      return { kind: "http", url: entry.endpoint ?? "", headers: entry.headers ?? {}, sse: true, ...oauthOf(entry) };
    case "ws":
      return { kind: "unsupported", reason: "WebSocket servers are not supported; use streamable HTTP or stdio" };
  }
}

function oauthOf({ oauth: given }: ServerInfo): { readonly oauth?: OAuthSettings | false } {
  if (given === undefined) return {};
  if (given.enabled === false) return { oauth: false };
  const { grant, clientId, clientSecretEnv, clientSecretFile, clientMetadataUrl, scopes, issuer, callbackPort } = given;
  const settings: OAuthSettings = {
    ...(grant === undefined ? {} : { grant }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecretEnv === undefined ? {} : { clientSecretEnv }),
    ...(clientSecretFile === undefined ? {} : { clientSecretFile }),
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    ...(scopes === undefined
      ? {}
      : { scopes: typeof scopes === "string" ? scopes.split(/\s+/).filter(Boolean) : scopes }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(callbackPort === undefined ? {} : { callbackPort }),
  };
  return { oauth: settings };
}

function timeoutsOf(given: NonNullable<ServerInfo["timeouts"]>): ConnectorTimeouts {
  return {
    connectMs: given.connectMs ?? DEFAULT_TIMEOUTS.connectMs,
    listMs: given.listMs ?? DEFAULT_TIMEOUTS.listMs,
    callMs: given.callMs ?? DEFAULT_TIMEOUTS.callMs,
    callMaxMs: given.callMaxMs ?? DEFAULT_TIMEOUTS.callMaxMs,
    startMs: given.startMs ?? DEFAULT_TIMEOUTS.startMs,
  };
}
