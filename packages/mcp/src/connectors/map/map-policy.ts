import {
  DEFAULT_TIMEOUTS,
  LONGEST_DELAY_MS,
  type ConnectorSpec,
  type ConnectorTimeouts,
  type ConnectorTransport,
  type Logger,
} from "@cortex-os/mcp-core";
import { connectorsOf, type ConnectorEntry, type ServiceMapPayload } from "@cortex-os/protocol";
import { judgeAddress } from "./map-addresses.js";
import { credentialOf, mapHeaders } from "./map-credentials.js";

/** What local configuration says about the connectors of a service map (design.md, contracts: Credentials and addresses). */
export interface MapPolicy {
  /** `CONNECTORS_API_KEY`: the credential of the map's connectors. */
  readonly connectorsApiKey?: string | undefined;
  /** The origin of the map's URL. */
  readonly mapOrigin: string;
  /** Where the credential may go and which addresses are allowed; absent: anywhere and all, as the plan's class has it. */
  readonly origins?:
    | {
        /** @default the map's own origin */
        readonly credentialOrigins?: readonly string[] | undefined;
        /** @default loopback's when the map itself comes from loopback */
        readonly allowedOrigins?: readonly string[] | undefined;
      }
    | undefined;
  readonly logger: Logger;
}

/**
 * The connectors of a verified service map as the reconciler wants them. What the policy refuses is kept as `unsupported`, so that it is shown as down with the
 * reason. Nothing of a map ever becomes a command, an argument or a path (design.md, decision 10). Never throws.
 */
export function specsOfMap(payload: ServiceMapPayload, policy: MapPolicy): readonly ConnectorSpec[] {
  return connectorsOf(payload).map((entry) => ({
    key: entry.id,
    source: "map",
    version: entry.version,
    transport: transportOf(entry, policy),
    disabled: entry.status === "disabled",
    timeouts: timeoutsOf(entry),
    isolation: "shared",
  }));
}

function transportOf(entry: ConnectorEntry, policy: MapPolicy): ConnectorTransport {
  const url = URL.canParse(entry.endpoint) ? new URL(entry.endpoint) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    return unsupported("its endpoint is not an http or https URL; publish one that is");
  const { mapOrigin, origins, connectorsApiKey } = policy;
  const address =
    origins === undefined
      ? ({ ok: true, publicOnly: false } as const)
      : judgeAddress(url, { mapOrigin, allowedOrigins: origins.allowedOrigins });
  if (!address.ok) return unsupported(address.reason);
  const credentialOrigins = origins === undefined ? undefined : (origins.credentialOrigins ?? [mapOrigin]);
  const credential = credentialOf(entry, url.origin, { connectorsApiKey, credentialOrigins });
  if (!credential.ok) return unsupported(credential.reason);
  const { headers, refused } = mapHeaders(entry, credential.header);
  if (refused.length > 0) {
    const fields = { connectorId: entry.id, headers: refused };
    policy.logger.warn(fields, "Headers that a service map may not set were left out");
  }
  return { kind: "http", url: entry.endpoint, headers, ...(address.publicOnly ? { publicOnly: true } : {}) };
}

/** `connectMs` and `requestMs` of a map are the connector's `connectMs` and `callMs` (R9). */
function timeoutsOf({ timeouts = {} }: ConnectorEntry): ConnectorTimeouts {
  const callMs = milliseconds(timeouts.requestMs, DEFAULT_TIMEOUTS.callMs);
  return {
    ...DEFAULT_TIMEOUTS,
    connectMs: milliseconds(timeouts.connectMs, DEFAULT_TIMEOUTS.connectMs),
    callMs,
    callMaxMs: Math.max(callMs, DEFAULT_TIMEOUTS.callMaxMs),
  };
}

const milliseconds = (given: number | undefined, otherwise: number): number =>
  given !== undefined && given > 0 ? Math.min(given, LONGEST_DELAY_MS) : otherwise;

const unsupported = (reason: string): ConnectorTransport => ({ kind: "unsupported", reason });
