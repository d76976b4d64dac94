import { GatewayError } from "@cortex-os/mcp-core";
import type { Era, JsonObject, ListKind } from "@cortex-os/mcp-core/wire";
import { entriesOf } from "../catalog/catalog-part.js";
import type { ListPage } from "../catalog/list-pages.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { resolveResource, targetOf, type FailedTarget, type MissingEntry, type TargetedCall } from "./call-target.js";
import { CAPABILITIES } from "./capabilities.js";
import type { RoutingSettings } from "./gateway-settings.js";
import type { Defer, OwnResource, Scope } from "./scope.js";
import { invalidCursor } from "./invalid-cursor.js";
import { SelfDescription } from "./self-description.js";

/** What a {@link WholeScope} works through. */
export interface WholeScopeDeps {
  readonly directory: ConnectorDirectory;
  readonly serverInfo: { readonly name: string; readonly version: string };
}

/** All connectors as one server, under the names of the catalog. */
export class WholeScope implements Scope {
  readonly #deps: WholeScopeDeps;
  /** The key separator when names are prefixed always; lets an unknown tool of a known connector be explained. */
  #separator: string | undefined;
  #description: SelfDescription;

  constructor(deps: WholeScopeDeps, { separator, ttlMs }: RoutingSettings) {
    this.#deps = deps;
    this.#separator = separator;
    this.#description = this.#describedFor(ttlMs);
  }

  /** For requests from now on. */
  reconfigure({ separator, ttlMs }: RoutingSettings): void {
    this.#separator = separator;
    this.#description = this.#describedFor(ttlMs);
  }

  /** Nothing: what it is does not depend on which connectors there are. */
  untilDescribed(): undefined {
    return undefined;
  }

  /** The end of the start, and that sources that are read on demand have been read. */
  untilListed(): Defer | undefined {
    return this.#deps.directory.gate.isOpen ? this.#untilFresh() : this.#untilOpen(() => this.#untilFresh());
  }

  describe(): SelfDescription {
    return this.#description;
  }

  /** It has every list, however many of its connectors do. */
  has(): boolean {
    return true;
  }

  page(kind: ListKind, era: Era, cursor: unknown): ListPage | GatewayError {
    const notReady = this.#deps.directory.notReady();
    if (notReady !== undefined) return notReady;
    if (cursor !== undefined && typeof cursor !== "string") return invalidCursor();
    return this.#deps.directory.catalog.current.page(kind, era, cursor) ?? invalidCursor();
  }

  targetOf(method: string, params: JsonObject | undefined): TargetedCall {
    return targetOf(this.#deps.directory.catalog.current, method, params, this.#sole);
  }

  /** While connectors start it may be of one that is about to come up; later, what nobody knows yet may be of a connector of a map that has to be fetched first. */
  untilTargeted(
    { isMalformed, missing }: FailedTarget,
    method: string,
    params: JsonObject | undefined,
  ): Defer | undefined {
    if (isMalformed === true) return undefined;
    if (this.#deps.directory.gate.isOpen) return missing === undefined ? undefined : this.#untilFresh();
    return this.#untilOpen(() => (this.targetOf(method, params).ok ? undefined : this.#untilFresh()));
  }

  explain({ error, missing }: FailedTarget): GatewayError {
    return (missing === undefined ? undefined : this.#unavailable(missing)) ?? error;
  }

  resolve(uri: string): OwnResource | GatewayError {
    return resolveResource(this.#deps.directory.catalog.current, uri);
  }

  addressOf(connector: string, uri: string): string {
    return this.#deps.directory.catalog.current.addressOf(connector, uri);
  }

  #describedFor(ttlMs: number): SelfDescription {
    return new SelfDescription({ serverInfo: this.#deps.serverInfo, capabilities: CAPABILITIES }, ttlMs);
  }

  /** The end of the start, and after it what there is still to wait for by then. */
  #untilOpen(more: () => Defer | undefined): Defer {
    return (task) => {
      let forgetMore = (): void => {};
      const forgetGate = this.#deps.directory.gate.whenOpen(() => {
        const wait = more();
        if (wait === undefined) task();
        else forgetMore = wait(task);
      });
      return () => {
        forgetGate();
        forgetMore();
      };
    };
  }

  #untilFresh(): Defer | undefined {
    const freshening = this.#deps.directory.freshen();
    if (freshening === undefined) return undefined;
    return (task) => {
      let wanted = true;
      void freshening.then(() => {
        if (wanted) task();
      });
      return () => {
        wanted = false;
      };
    };
  }

  readonly #sole = (): string | undefined => {
    const [only, ...others] = this.#deps.directory.connectors.filter(({ spec }) => !spec.disabled);
    return others.length === 0 ? only?.key : undefined;
  };

  /** What is missing because its connector is down: that is another thing than one that does not exist. */
  #unavailable({ kind, id }: MissingEntry): GatewayError | undefined {
    const { directory } = this.#deps;
    const separator = this.#separator;
    if (separator === undefined || kind === "resource") return undefined;
    const list = kind === "tool" ? "tools" : "prompts";
    // One key may begin like another: "a" and "a__b" both fit "a__b__tool".
    const down = directory.connectors.find(
      ({ key, isUp, part }) =>
        id.startsWith(key + separator) && !isUp && (part === undefined || entriesOf(part, list).length === 0),
    );
    if (down === undefined) return undefined;
    const what = `${kind === "tool" ? "Tool" : "Prompt"} ${JSON.stringify(id.slice(0, 200))}`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", `${what} is not available: ${down.describe()}`);
  }
}
