import type { Io } from "../io.js";
import { userError } from "../user-error.js";

/** The variables that may hold the API key of a service map's publisher, the first that is set counts. Never a flag: argv is visible to others. */
const VARIABLES = ["CORTEX_MCP_SERVICE_MAP_API_KEY", "CONNECTORS_API_KEY"];

/**
 * The API key that a publisher asks for.
 *
 * @throws GatewayError USER_INPUT for one that no `Authorization` header can carry, and so no gateway could show
 */
export function publisherApiKey(env: Io["env"]): string | undefined {
  for (const variable of VARIABLES) {
    const key = env[variable];
    if (key === undefined || key === "") continue;
    if (/^[\x21-\x7e]+$/.test(key)) return key;
    throw userError(`${variable} must be visible ASCII characters without spaces: it is sent in a header`);
  }
  return undefined;
}

/**
 * The API key to show to the publisher at `url`: the one that is meant for it, or `CONNECTORS_API_KEY` when this is the service map that the
 * environment names. That key goes nowhere else just because somebody typed a URL.
 */
export function apiKeyFor(url: string, env: Io["env"]): string | undefined {
  const own = env["CORTEX_MCP_SERVICE_MAP_API_KEY"];
  if (own) return own;
  const configured = env["CONNECTORS_SERVICE_MAP_URL"] ?? "";
  if (!URL.canParse(url) || !URL.canParse(configured)) return undefined;
  return new URL(url).origin === new URL(configured).origin ? env["CONNECTORS_API_KEY"] : undefined;
}
