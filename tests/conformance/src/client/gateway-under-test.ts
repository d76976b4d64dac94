import { createMetrics, Gateway, serveHttp, type ConnectorSource } from "@cortex-os/mcp";
import { UpstreamOAuth, type StoredAuthorization } from "@cortex-os/mcp-bridge";
import {
  connectorSpecOf,
  silentLogger,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type ConnectorSpec,
  type OAuthSettings,
  type ServerInfo,
} from "@cortex-os/mcp-core";
import { headlessPerson } from "./headless-person.js";

const KEY = "scenario";

/** A gateway in this process with one connector. */
export interface GatewayUnderTest {
  /** Where the connector is offered as it is. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts a gateway in front of a scenario's server, and waits until that is up.
 *
 * @throws Error with the reason why it is not
 */
export async function gatewayInFrontOf(
  endpoint: string,
  oauth: ServerInfo["oauth"],
  secret?: string,
): Promise<GatewayUnderTest> {
  const system = { clock: systemClock, monotonic: systemMonotonic, random: systemRandom, timers: systemTimers };
  const spec = connectorSpecOf({
    name: KEY,
    endpoint,
    timeouts: { connectMs: 20_000 },
    ...(oauth === undefined ? {} : { oauth }),
  });
  const metrics = createMetrics();
  const gateway = new Gateway({
    ...system,
    ...{ version: "0.0.0", sources: [fixedSource(spec)], logger: silentLogger, metrics },
    authorize: ({ transport }) =>
      transport.kind === "http" ? authorizationOf(transport.url, transport.oauth || {}, secret) : undefined,
  });
  const front = await serveHttp(gateway, {
    ...{ timers: systemTimers, logger: silentLogger, metrics },
    ...{ listen: { host: "127.0.0.1", port: 0 }, allowedHosts: [], allowedOrigins: [] },
  });
  const close = async (): Promise<void> => {
    await gateway.close();
    await front.close();
  };
  await gateway.start();
  await gateway.settled();
  const [status] = gateway.status().connectors;
  if (status?.state === "up") return { url: `${front.url}/-/${KEY}`, close };
  await close();
  throw new Error(status?.reason ?? "there is no connector");
}

function authorizationOf(url: string, settings: OAuthSettings, secret: string | undefined): UpstreamOAuth {
  let kept: StoredAuthorization | undefined;
  return new UpstreamOAuth({
    ...{ key: KEY, url, settings, person: headlessPerson, timers: systemTimers, logger: silentLogger },
    store: {
      read: () => kept,
      update: async (change) => {
        kept = change(kept);
      },
    },
    secret: async () => secret,
  });
}

function fixedSource(spec: ConnectorSpec): ConnectorSource {
  return {
    origin: "registry",
    start: async (listener) => {
      listener([spec]);
    },
    reload: async () => {},
    close: async () => {},
  };
}
