import { GatewayError, type Isolation } from "@cortex-os/mcp-core";
import { connectorName } from "../http/failures.js";
import type { LinkDeps, UpstreamFacts } from "../link.js";
import type { HandshakeSettings, ProbePatience } from "./handshake.js";
import type { OpeningDeps } from "./open-peer.js";

/** What may be set about a `StdioLink`; every bound has a default. */
export interface StdioLinkOptions {
  /** How long a server whose era is not known may be silent about `server/discover`. @default 1.5 s after its first output, 5 s at most */
  readonly patience?: ProbePatience;
  /** How long a stop waits after closing stdin, and again after SIGTERM, in milliseconds. @default 2_000 */
  readonly graceMs?: number;
  /** Longest message of a server in bytes; a longer one ends the link. @default 32 MiB */
  readonly maxLineBytes?: number;
  /** How much may wait for a server that does not read, in bytes. @default 16 MiB */
  readonly maxQueuedBytes?: number;
  /** How many processes principals or sessions may have of one connector; the longest unused makes room for the next. @default 64 */
  readonly maxLanes?: number;
  /** After how long without a request the link says that it is idle, in milliseconds; 0: never. @default 0 */
  readonly idleMs?: number;
  /** How clients are kept apart right now; outlives the link. @default what the connector's spec says */
  readonly isolation?: { current: Isolation };
  /** The environment of which children get a minimal part. @default `process.env` */
  readonly hostEnv?: Readonly<Record<string, string | undefined>>;
}

const MIB = 1024 * 1024;
const DEFAULT_PATIENCE: ProbePatience = { soundMs: 1_500, maxMs: 5_000 };

/**
 * How a child of a link is started.
 *
 * @param prior what it turned out to be last time
 * @throws GatewayError INTERNAL for a connector that is not reached over stdio
 */
export function openingDeps(
  deps: LinkDeps,
  options: StdioLinkOptions,
  introduction: Pick<HandshakeSettings, "clientInfo" | "capabilities">,
  prior: UpstreamFacts | undefined,
): OpeningDeps {
  const { spec, timers, monotonic, logger, clock } = deps;
  const { transport, key, timeouts } = spec;
  if (transport.kind !== "stdio")
    throw new GatewayError("INTERNAL", `${connectorName(key)}: a stdio link was made for another transport`);
  const { graceMs = 2_000, maxLineBytes = 32 * MIB, maxQueuedBytes = 16 * MIB, hostEnv = process.env } = options;
  const { command, args, env, cwd } = transport;
  const half = timeouts.startMs / 2;
  // A server known to be modern is given half of its start to say so again, before it is offered `initialize`.
  const patience = prior?.era === "modern" ? { soundMs: half, maxMs: half } : (options.patience ?? DEFAULT_PATIENCE);
  return {
    peer: {
      ...{ connectorId: key, command, args, env, hostEnv, timers, monotonic, logger },
      ...{ graceMs, maxLineBytes, maxQueuedBytes },
      ...(cwd === undefined ? {} : { cwd }),
    },
    handshake: { ...introduction, timers, patience },
    clock,
    startMs: timeouts.startMs,
    ...(prior === undefined ? {} : { prior }),
  };
}
