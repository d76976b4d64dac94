import type { JsonObject, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Ask } from "../asking/question.js";
import type { Caller } from "../caller.js";
import type { ChannelFeatures, Exchange } from "../exchange.js";
import type { ListTable, Listed } from "../list-table.js";

/** One request on its way through a feature. */
export interface Call {
  readonly request: JsonRpcRequest;
  /** The request's parameters; empty when it has none. */
  readonly params: JsonObject;
  readonly caller: Caller;
  readonly exchange: Exchange;
  /** Asks the client something before the request is answered. */
  readonly ask: Ask;
}

/** What a method gives, in the form both eras share. */
export interface Outcome {
  readonly result: object;
  /** Whether and how a modern client may keep the result; without it the result is none to be kept. */
  readonly caching?: CachingHints;
}

/** What a modern result says about being kept (2026-07-28, caching). */
export interface CachingHints {
  readonly ttlMs: number;
  readonly cacheScope: "public" | "private";
}

/** Answers one method. @throws RpcFailure for parameters it cannot use */
export type Method = (call: Call) => Outcome | Promise<Outcome>;

/** One part of what a server offers: its methods, and what its capabilities say of them. */
export interface Feature {
  /** By their names in both eras. */
  readonly methods: Readonly<Record<string, Method>>;
  /** The feature's own members of `capabilities`, towards a client with such a channel. */
  capabilities(channel: ChannelFeatures): JsonObject;
}

/** How lists are cut and how long they hold. */
export interface ListOptions {
  readonly pageSize: number;
  readonly ttlMs: number;
}

/** The method that lists `table` under the member `as` of its result. */
export const listing =
  <T extends Listed>(table: ListTable<T>, as: string, { pageSize, ttlMs }: ListOptions): Method =>
  ({ params }) => {
    const { definitions, nextCursor } = table.page(params["cursor"], pageSize);
    const result = { [as]: definitions, ...(nextCursor === undefined ? {} : { nextCursor }) };
    return { result, caching: { ttlMs, cacheScope: "public" } };
  };
