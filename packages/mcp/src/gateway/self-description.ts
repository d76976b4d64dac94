import { isJsonObject, META, SUPPORTED_REVISIONS, type JsonObject, type ServerFeature } from "@cortex-os/mcp-core/wire";

/** What a server says of itself, in neither era's words. */
export interface SaidOfItself {
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions?: string;
}

/** What clients are told that a scope is, in `server/discover` and `initialize` alike; with the revisions that the gateway speaks. Immutable, encoded once. */
export class SelfDescription {
  /** The result of `server/discover`. */
  readonly discovered: readonly Buffer[];
  readonly #said: SaidOfItself;

  /** @param ttlMs how long a modern client may keep it, in milliseconds */
  constructor(said: SaidOfItself, ttlMs: number) {
    const { capabilities, serverInfo, instructions } = said;
    this.#said = said;
    const result = {
      resultType: "complete",
      supportedVersions: SUPPORTED_REVISIONS,
      capabilities,
      ...(instructions === undefined ? {} : { instructions }),
      _meta: { [META.serverInfo]: serverInfo },
      ttlMs,
      cacheScope: "public",
    };
    this.discovered = [Buffer.from(JSON.stringify(result))];
  }

  /** The result of `initialize` in the revision that the session speaks. */
  initialized(protocolVersion: string): JsonObject {
    const { capabilities, serverInfo, instructions } = this.#said;
    return { protocolVersion, capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) };
  }

  /** Whether clients were promised to hear when the lists of this feature change. */
  tells(feature: ServerFeature): boolean {
    const capability = this.#said.capabilities[feature];
    return isJsonObject(capability) && capability["listChanged"] === true;
  }

  /** Whether clients were told that there are log messages. */
  get logs(): boolean {
    return this.#said.capabilities["logging"] !== undefined;
  }
}
