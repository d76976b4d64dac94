import { GatewayError, messageOf, type Logger } from "@cortex-os/mcp-core";
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

/** What is asked for, and what is known already. */
export interface ListPartOptions {
  readonly key: string;
  readonly logger: Logger;
  /** The features whose lists are to be asked for; those of others stay as they are known. */
  readonly features: ReadonlySet<ServerFeature>;
  readonly known: CatalogPart | undefined;
}

/** What came of asking. */
export interface ListedPart {
  readonly part: CatalogPart;
  /** Features of which a list could not be had: what was known of it stays. */
  readonly failed: ReadonlySet<ServerFeature>;
}

const METHOD_UNKNOWN = -32_601;

/**
 * What an upstream offers now, of the features it announces; asking for others breaks strict servers. A connector without its tools is of no use, one without
 * its resources or prompts is: those that cannot be listed are reported and change nothing else.
 *
 * @throws GatewayError as `Upstream.list`, when the tools cannot be listed
 */
export async function listPart(upstream: Upstream, options: ListPartOptions): Promise<ListedPart> {
  const { key, known, features, logger } = options;
  const lists: Partial<Record<ListKind, PartList>> = {};
  const failed = new Set<ServerFeature>();
  const ask = async (kind: ListKind): Promise<void> => {
    const { feature, method } = LISTS[kind];
    if (upstream.facts?.capabilities[feature] === undefined) return;
    const before = known?.lists[kind];
    if (before !== undefined) lists[kind] = before;
    if (!features.has(feature)) return;
    try {
      lists[kind] = usable(await upstream.list(kind), kind, options);
    } catch (error) {
      if (kind === "tools") throw error;
      // Many servers have resources and no templates, and say so only now.
      if (GatewayError.is(error) && error.data?.["upstreamCode"] === METHOD_UNKNOWN) lists[kind] = { entries: [] };
      else {
        logger.warn({ connectorId: key, reason: messageOf(error) }, `${method} failed; what is known of it stays`);
        failed.add(feature);
      }
    }
  };
  await Promise.all(LIST_KINDS.map(ask));
  return { part: { key, lists: inOrder(lists) }, failed };
}

/** What is nested thousands of levels deep can be read but not encoded: it must not get as far as the catalog. */
function usable(list: PartList, kind: ListKind, { key, logger }: ListPartOptions): PartList {
  const entries = list.entries.filter((entry) => !isDeeperThan(entry, MAX_JSON_DEPTH));
  if (entries.length === list.entries.length) return list;
  const fields = { connectorId: key, list: kind, count: list.entries.length - entries.length };
  logger.warn(fields, `Entries nested deeper than ${MAX_JSON_DEPTH} levels were left out of a list`);
  return { ...list, entries };
}

/** The lists came in any order: the same ones make the same part. */
function inOrder(lists: Partial<Record<ListKind, PartList>>): CatalogPart["lists"] {
  return Object.fromEntries(LIST_KINDS.flatMap((kind) => (lists[kind] === undefined ? [] : [[kind, lists[kind]]])));
}
