import { isJsonObject, META, SUPPORTED_REVISIONS, type JsonObject, type ServerFeature } from "@cortex-os/mcp-core/wire";
import { hintedTtl } from "../catalog/list-pages.js";

/** What a server says of itself, in neither era's words. */
export interface SaidOfItself {
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions?: string;
  /** Whatever else, its caching hints included; see `UpstreamFacts`. */
  readonly others?: JsonObject;
}

/** What clients are told that a scope is, in `server/discover` and `initialize` alike; with the revisions that the gateway speaks. Immutable, encoded once. */
export class SelfDescription {
  /** The result of `server/discover`. */
  readonly discovered: readonly Buffer[];
  readonly #said: SaidOfItself;

  /** @param maxTtlMs longest time in milliseconds for which a modern client may keep it; who speaks of itself may ask for less */
  constructor(said: SaidOfItself, maxTtlMs: number) {
    this.#said = said;
    const { capabilities, serverInfo, instructions, others = {} } = said;
    const { ttlMs, cacheScope, _meta, ...unknown } = others;
    const result = {
      ...unknown,
      resultType: "complete",
      supportedVersions: SUPPORTED_REVISIONS,
      capabilities,
      ...(instructions === undefined ? {} : { instructions }),
      _meta: { ...(isJsonObject(_meta) ? _meta : {}), [META.serverInfo]: serverInfo },
      ttlMs: Math.min(maxTtlMs, hintedTtl(ttlMs, maxTtlMs)),
      cacheScope: cacheScope === undefined || cacheScope === "public" ? "public" : "private",
    };
    this.discovered = [Buffer.from(JSON.stringify(result))];
  }

  /** The result of `initialize` in the revision that the session speaks. */
  initialized(protocolVersion: string): JsonObject {
    const { capabilities, serverInfo, instructions, others = {} } = this.#said;
    // The legacy era keeps nothing.
    const { ttlMs: _, cacheScope: __, ...unknown } = others;
    const described = { protocolVersion, capabilities, serverInfo };
    return { ...unknown, ...described, ...(instructions === undefined ? {} : { instructions }) };
  }

  /** Whether clients were promised to hear when the lists of this feature change. */
  tells(feature: ServerFeature): boolean {
    const capability = this.#said.capabilities[feature];
    return isJsonObject(capability) && capability["listChanged"] === true;
  }

  /** Whether clients were told that they may subscribe to resources. */
  get subscribes(): boolean {
    const { resources } = this.#said.capabilities;
    return isJsonObject(resources) && resources["subscribe"] === true;
  }

  /** Whether clients were told that there are log messages. */
  get logs(): boolean {
    return this.#said.capabilities["logging"] !== undefined;
  }
}
