import type { GatewayError } from "@cortex-os/mcp-core";
import type { Era, JsonObject, ListKind } from "@cortex-os/mcp-core/wire";
import type { ListPage } from "../catalog/list-pages.js";
import type { FailedTarget, TargetedCall } from "./call-target.js";
import type { SelfDescription } from "./self-description.js";

/** Takes what to do when something has come about, and returns a function that forgets it. */
export type Defer = (task: () => void) => () => void;

/** A resource as its upstream knows it. */
export interface OwnResource {
  /** The connector's key. */
  readonly connector: string;
  readonly uri: string;
}

/**
 * What clients of one address meet: all connectors as one server, or one connector as it is. Sessions and subscriptions belong to one scope and hear of nothing
 * outside of it.
 */
export interface Scope {
  /** The key of the connector that it is; absent when it is all of them. */
  readonly connector?: string;
  /** What has to come about before it can say what it is. @returns `undefined` when there is nothing to wait for */
  untilDescribed(): Defer | undefined;
  /** What has to come about before its lists are worth reading. @returns `undefined` when there is nothing to wait for */
  untilListed(): Defer | undefined;
  /** What it is, or why that is not known. */
  describe(): SelfDescription | GatewayError;
  /** Whether it has such a list; what asks for one that it has not is looked up as a call. */
  has(kind: ListKind): boolean;
  /** The page of a list after `cursor`, which is whatever the client sent; or why there is none. */
  page(kind: ListKind, era: Era, cursor: unknown): ListPage | GatewayError;
  /** Where a request goes that is neither for a list nor for the gateway itself. */
  targetOf(method: string, params: JsonObject | undefined): TargetedCall;
  /** What could yet give such a request a target. @returns `undefined` when nothing will */
  untilTargeted(failed: FailedTarget, method: string, params: JsonObject | undefined): Defer | undefined;
  /** Why it has none in the end. */
  explain(failed: FailedTarget): GatewayError;
  /** Whose resource a URI names, or why that is not known. */
  resolve(uri: string): OwnResource | GatewayError;
  /** The address that names this URI of the connector's and nobody else's. */
  addressOf(connector: string, uri: string): string;
}
