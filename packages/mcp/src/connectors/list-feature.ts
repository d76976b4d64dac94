import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import {
  isDeeperThan,
  LIST_KINDS,
  LISTS,
  MAX_JSON_DEPTH,
  type ListKind,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { CatalogPart, PartList } from "../catalog/catalog-part.js";
import type { Upstream } from "./upstream.js";

/** Who asks, for log lines. */
export interface ListFeatureOptions {
  readonly key: string;
  readonly logger: Logger;
}

const METHOD_UNKNOWN = -32_601;

/** The lists that belong to a feature. */
export const kindsOf = (feature: ServerFeature): readonly ListKind[] =>
  LIST_KINDS.filter((kind) => LISTS[kind].feature === feature);

/**
 * What an upstream offers now of one feature, which it has to have announced: asking for others breaks strict servers.
 *
 * @throws GatewayError as `Upstream.list`
 */
export async function listFeature(
  upstream: Upstream,
  feature: ServerFeature,
  options: ListFeatureOptions,
): Promise<CatalogPart["lists"]> {
  const lists = await Promise.all(
    kindsOf(feature).map(async (kind) => [kind, usable(await listOf(upstream, kind), kind, options)] as const),
  );
  return Object.fromEntries(lists);
}

/** Many servers have resources and no templates, and say so only now. Tools that are announced and not known are a mistake that wants to be seen. */
async function listOf(upstream: Upstream, kind: ListKind): Promise<PartList> {
  try {
    return await upstream.list(kind);
  } catch (error) {
    const isUnknown = GatewayError.is(error) && error.data?.["upstreamCode"] === METHOD_UNKNOWN;
    if (kind !== "tools" && isUnknown) return { entries: [] };
    throw error;
  }
}

/** What is nested thousands of levels deep can be read but not encoded: it must not get as far as the catalog. */
function usable(list: PartList, kind: ListKind, { key, logger }: ListFeatureOptions): PartList {
  const entries = list.entries.filter((entry) => !isDeeperThan(entry, MAX_JSON_DEPTH));
  if (entries.length === list.entries.length) return list;
  const fields = { connectorId: key, list: kind, count: list.entries.length - entries.length };
  logger.warn(fields, `Entries nested deeper than ${MAX_JSON_DEPTH} levels were left out of a list`);
  return { ...list, entries };
}
