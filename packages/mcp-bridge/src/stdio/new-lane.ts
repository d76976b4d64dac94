import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { Lane } from "../channel/lane.js";
import type { LaneOwner } from "../channel/lane-logs.js";
import { GATEWAY_INFO, type LinkDeps, type UpstreamFacts } from "../link.js";
import { openPeer } from "./open-peer.js";
import { openingDeps, type StdioLinkOptions } from "./stdio-link-options.js";

/** What one {@link Lane} of a link has of its own. */
export interface LaneSettings {
  readonly owner: LaneOwner;
  /** What the server turned out to be last time. */
  readonly prior?: UpstreamFacts | undefined;
  /** What another process of it has turned out to be just now. */
  readonly twin?: UpstreamFacts;
  /** How the child's client is introduced. @default as the gateway itself */
  readonly clientInfo?: JsonObject | undefined;
  /** What it may ask back. */
  readonly capabilities: JsonObject;
  readonly onEnded: (error: GatewayError) => void;
  readonly onAmbiguous?: () => void;
  readonly onNotification: (notification: JsonRpcNotification, sessionKey?: string) => void;
}

/** A lane of a link, not opened yet. */
export function newLane(deps: LinkDeps, options: StdioLinkOptions, settings: LaneSettings): Lane {
  const { prior, twin, clientInfo = deps.clientInfo ?? GATEWAY_INFO, capabilities, ...own } = settings;
  const { callMs, callMaxMs, listMs } = deps.spec.timeouts;
  const opening = {
    ...openingDeps(deps, options, { clientInfo, capabilities }, prior),
    ...(twin === undefined ? {} : { twin }),
  };
  return new Lane({
    ...own,
    logger: deps.logger,
    timers: deps.timers,
    open: (events, signal) => openPeer(opening, events, signal),
    callBounds: { idleMs: callMs, maxMs: callMaxMs },
    levelMs: listMs,
    askSession: (sessionKey, question) => deps.events.onQuestion(sessionKey, question),
  });
}
