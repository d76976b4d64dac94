import { GatewayError, type Timers } from "@cortex-os/mcp-core";
import type { UpstreamFacts } from "@cortex-os/mcp-bridge";
import { NOT_TO_KEEP, type Era, type JsonObject, type ListKind, type ServerFeature } from "@cortex-os/mcp-core/wire";
import type { CatalogPart } from "../catalog/catalog-part.js";
import type { ListPage, ListPolicy } from "../catalog/list-pages.js";
import { OwnLists } from "../catalog/own-lists.js";
import type { Connector } from "../connectors/connector.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { isReserved, unknownMethod, type FailedTarget, type TargetedCall } from "./call-target.js";
import type { Defer, OwnResource, Scope } from "./scope.js";
import { invalidCursor } from "./invalid-cursor.js";
import { SelfDescription } from "./self-description.js";

/** What of a {@link ConnectorScope} can be set anew. */
export interface ConnectorScopeSettings {
  readonly lists: ListPolicy;
  /** Longest wait in milliseconds for a connector that is connecting. */
  readonly maxWaitMs: number;
}

/** What a {@link ConnectorScope} works through. */
export interface ConnectorScopeDeps {
  readonly directory: Pick<ConnectorDirectory, "find">;
  readonly timers: Timers;
  readonly settings: () => ConnectorScopeSettings;
}

/**
 * One connector as it is: its own names, URIs and capabilities. What is asked of it goes to it unchanged, whether a list holds it or not: the upstream judges. While
 * it is away, what was last known of it is told; what never was known is an error, never an empty answer that a client would keep.
 */
export class ConnectorScope implements Scope {
  readonly connector: string;
  readonly #deps: ConnectorScopeDeps;
  #listed: { readonly part: CatalogPart; readonly policy: ListPolicy; readonly lists: OwnLists } | undefined;
  #described: { readonly facts: UpstreamFacts; readonly ttlMs: number; readonly is: SelfDescription } | undefined;

  constructor(key: string, deps: ConnectorScopeDeps) {
    this.connector = key;
    this.#deps = deps;
    this.follow();
  }

  /**
   * Takes in what the connector offers now.
   * @returns the features whose lists are others than a client may have seen, and of which it was promised to hear
   */
  follow(): ReadonlySet<ServerFeature> {
    const before = this.#listed?.lists;
    const part = this.#living?.part;
    // One that was disabled may come back: what clients saw last is what they compare with.
    if (part === undefined) return NONE;
    const { lists } = this.#take(part);
    if (before === undefined || before === lists) return NONE;
    const description = this.describe();
    if (GatewayError.is(description)) return NONE;
    return new Set([...lists.changesSince(before)].filter((feature) => description.tells(feature)));
  }

  untilDescribed(): Defer | undefined {
    return this.#living?.upstream?.facts === undefined ? this.#untilSettled() : undefined;
  }

  untilListed(): Defer | undefined {
    return this.#living?.part === undefined ? this.#untilSettled() : undefined;
  }

  describe(): SelfDescription | GatewayError {
    const facts = this.#living?.upstream?.facts;
    if (facts === undefined) return this.#unavailable();
    const { ttlMs } = this.#deps.settings().lists;
    if (this.#described?.facts !== facts || this.#described.ttlMs !== ttlMs) {
      // A legacy client is owed a name (2025-11-25, Lifecycle); a modern upstream need not have one.
      const serverInfo = facts.serverInfo ?? { name: this.connector, version: "unknown" };
      // A modern one owes caching hints: of what it said without them nobody knows how long it is good, or for whom.
      const others = facts.era === "modern" ? { ...NOT_TO_KEEP, ...facts.others } : facts.others;
      const said = { ...facts, serverInfo, ...(others === undefined ? {} : { others }) };
      this.#described = { facts, ttlMs, is: new SelfDescription(said, ttlMs) };
    }
    return this.#described.is;
  }

  has(kind: ListKind): boolean {
    return this.#lists?.has(kind) ?? true;
  }

  page(kind: ListKind, era: Era, cursor: unknown): ListPage | GatewayError {
    const lists = this.#lists;
    if (lists === undefined) return this.#unavailable();
    if (cursor !== undefined && typeof cursor !== "string") return invalidCursor();
    return lists.page(kind, era, cursor) ?? invalidCursor();
  }

  targetOf(method: string, params: JsonObject | undefined): TargetedCall {
    const connector = this.#living;
    if (connector?.upstream === undefined || (connector.part === undefined && !connector.isSettled))
      return { ok: false, error: this.#unavailable() };
    if (isReserved(method) && !FORWARDED.has(method)) return unknownMethod(method);
    const name = method === "tools/call" ? params?.["name"] : undefined;
    const mirrored = typeof name === "string" ? this.#lists?.mirroredOf(name) : undefined;
    const target = { connector: this.connector, params };
    return { ok: true, target: mirrored === undefined ? target : { ...target, mirrored } };
  }

  /** It may be about to come up. */
  untilTargeted(): Defer | undefined {
    return this.untilListed();
  }

  explain({ error }: FailedTarget): GatewayError {
    return error;
  }

  resolve(uri: string): OwnResource {
    return { connector: this.connector, uri };
  }

  addressOf(_connector: string, uri: string): string {
    return uri;
  }

  get #living(): Connector | undefined {
    return this.#deps.directory.find(this.connector);
  }

  /** As they were followed last; `undefined` while nothing is known or may be served. */
  get #lists(): OwnLists | undefined {
    const part = this.#living?.part;
    return part === undefined ? undefined : (this.#listed ?? this.#take(part)).lists;
  }

  #take(part: CatalogPart): { readonly lists: OwnLists } {
    const { lists: policy } = this.#deps.settings();
    if (this.#listed?.part !== part || this.#listed.policy !== policy)
      this.#listed = { part, policy, lists: new OwnLists(part, policy) };
    return this.#listed;
  }

  #untilSettled(): Defer | undefined {
    const connector = this.#living;
    if (connector === undefined || connector.isSettled) return undefined;
    return (task) => {
      let wanted = true;
      const forget = (): void => {
        wanted = false;
        cancel();
      };
      const go = (): void => {
        if (!wanted) return;
        forget();
        task();
      };
      const cancel = this.#deps.timers.after(this.#deps.settings().maxWaitMs, go);
      void connector.whenSettled().then(go);
      return forget;
    };
  }

  #unavailable(): GatewayError {
    const connector = this.#living;
    const why = connector?.describe() ?? `connector "${this.connector}" was removed`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", `Not available: ${why}`);
  }
}

const NONE: ReadonlySet<ServerFeature> = new Set();

/** The protocol's own requests that are an upstream's to answer. Tools are listed by the gateway or not at all: one that breaks the rules must not pass unseen (T15). */
const FORWARDED: ReadonlySet<string> = new Set([
  ...["resources/list", "resources/templates/list", "prompts/list"],
  ...["tools/call", "prompts/get", "resources/read", "completion/complete"],
]);
