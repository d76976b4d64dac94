import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { GATEWAY_INFO, type LinkDeps, type UpstreamFacts } from "../link.js";
import { Lane } from "../channel/lane.js";
import type { LaneOwner } from "../channel/lane-logs.js";
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
  readonly onEnded: (error: GatewayError) => void;
  readonly onNotification: (notification: JsonRpcNotification) => void;
}

/** A lane of a link, not opened yet. */
export function newLane(deps: LinkDeps, options: StdioLinkOptions, settings: LaneSettings): Lane {
  const { owner, prior, twin, clientInfo = deps.clientInfo ?? GATEWAY_INFO, onEnded, onNotification } = settings;
  const { callMs, callMaxMs, listMs } = deps.spec.timeouts;
  return new Lane({
    opening: { ...openingDeps(deps, options, clientInfo, prior), ...(twin === undefined ? {} : { twin }) },
    callBounds: { idleMs: callMs, maxMs: callMaxMs },
    levelMs: listMs,
    owner,
    onNotification,
    onEnded,
  });
}
