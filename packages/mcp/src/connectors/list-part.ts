import type { Logger } from "@cortex-os/mcp-core";
import { isDeeperThan, MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import type { CatalogPart } from "../catalog/catalog-part.js";
import type { Upstream } from "./upstream.js";

/**
 * What an upstream offers now; nothing when it does not announce that it has tools.
 * @throws GatewayError as `Upstream.listTools`
 */
export async function listPart(upstream: Upstream, key: string, logger: Logger): Promise<CatalogPart> {
  // Asking for a list that the upstream does not announce breaks strict servers.
  if (upstream.facts?.capabilities["tools"] === undefined) return { key, tools: [] };
  const { tools, ttlMs, cacheScope } = await upstream.listTools();
  // What is nested thousands of levels deep can be read but not encoded: it must not get as far as the catalog.
  const usable = tools.filter((tool) => !isDeeperThan(tool, MAX_JSON_DEPTH));
  if (usable.length < tools.length) {
    const fields = { connectorId: key, count: tools.length - usable.length };
    logger.warn(fields, `Tools nested deeper than ${MAX_JSON_DEPTH} levels were left out`);
  }
  return {
    key,
    tools: usable,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(cacheScope === undefined ? {} : { cacheScope }),
  };
}
