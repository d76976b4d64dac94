import { isConnectorKey } from "@cortex-os/mcp-core";

const OF_CONNECTOR = "/mcp/-/";

/**
 * The connector whose own address a path is, `/mcp/-/<key>`. Percent-encoding is resolved once, and what is not a key then is none; nothing is normalised or cut off,
 * so that no path leads to another address than it says.
 *
 * @param path as it was sent, without the query
 * @returns `undefined` for any other path
 */
export function connectorOfPath(path: string): string | undefined {
  if (!path.startsWith(OF_CONNECTOR)) return undefined;
  const key = decoded(path.slice(OF_CONNECTOR.length));
  return key !== undefined && isConnectorKey(key) ? key : undefined;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
