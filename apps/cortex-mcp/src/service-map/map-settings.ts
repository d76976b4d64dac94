import type { Config } from "../config/schema.js";
import { isLoopbackHost } from "../config/loopback.js";
import { userError } from "../user-error.js";

/** A service map that is configured, and what it takes to follow it. Holds secrets. */
export interface MapSettings {
  readonly url: string;
  /** Goes to the publisher. */
  readonly apiKey: string | undefined;
  /** `CONNECTORS_API_KEY`: goes to the map's connectors. */
  readonly connectorsApiKey: string | undefined;
  /** `CONNECTORS_SIGNATURE_KEY`. */
  readonly signatureKey: string | undefined;
  readonly config: Config["serviceMap"];
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What configuration and environment say about the service map.
 *
 * @returns `undefined` when none is configured
 * @throws GatewayError USER_INPUT when there is no key to check it with: an unsigned map is never used (R2)
 */
export function mapSettings({ serviceMap: config }: Pick<Config, "serviceMap">, env: Env): MapSettings | undefined {
  const { url, keysFile, credentialOrigins } = config;
  if (url === undefined) return undefined;
  const signatureKey = env["CONNECTORS_SIGNATURE_KEY"] || undefined;
  if (signatureKey === undefined && keysFile === undefined) {
    throw userError(
      "a service map is configured and no key to check its signature: set CONNECTORS_SIGNATURE_KEY or serviceMap.keysFile",
    );
  }
  const connectorsApiKey = env["CONNECTORS_API_KEY"] || undefined;
  const { origin } = new URL(url);
  const isTrusted = credentialOrigins?.includes(origin) ?? true;
  return {
    ...{ url, connectorsApiKey, signatureKey, config },
    apiKey: config.apiKey ?? (isTrusted ? connectorsApiKey : undefined),
  };
}

/** Whether the publisher's API key crosses a network in the clear. */
export function sendsKeyInTheClear({ url, apiKey }: MapSettings): boolean {
  const { protocol, hostname } = new URL(url);
  return apiKey !== undefined && protocol === "http:" && !isLoopbackHost(hostname.replaceAll(/[[\]]/g, ""));
}
