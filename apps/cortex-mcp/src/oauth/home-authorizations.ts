import type { ConnectorSource } from "@cortex-os/mcp";
import { UpstreamOAuth, type OAuthPerson } from "@cortex-os/mcp-bridge";
import type { ConnectorSpec, Logger } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import type { StatePaths } from "../state/state-paths.js";
import { clientSecret } from "./client-secret.js";
import { TokenFile } from "./token-file.js";

/** What {@link HomeAuthorizations} are made of. */
export interface HomeAuthorizationsOptions {
  readonly io: Pick<Io, "env" | "system">;
  readonly paths: Pick<StatePaths, "tokens">;
  readonly logger: Logger;
  /** Who is asked for consent. @default nobody: connectors need a login then */
  readonly person?: OAuthPerson;
}

/** OAuth towards the servers of a home: of its registry only, because no service map has a say in credentials of this machine's. */
export class HomeAuthorizations {
  readonly #options: HomeAuthorizationsOptions;
  /** The latest of each connector. */
  readonly #made = new Map<string, UpstreamOAuth>();

  constructor(options: HomeAuthorizationsOptions) {
    this.#options = options;
  }

  /** What authorises the requests to this connector; `undefined` when OAuth does not, because of its transport, its source or its configuration. */
  readonly of = (spec: ConnectorSpec): UpstreamOAuth | undefined => {
    const { key, source, transport } = spec;
    if (source !== "registry" || transport.kind !== "http" || transport.oauth === false) return undefined;
    const { io, paths, logger, person } = this.#options;
    const { url, oauth: settings = {} } = transport;
    const made = new UpstreamOAuth({
      ...{ key, url, settings, logger, timers: io.system.timers, store: new TokenFile(paths.tokens, key) },
      secret: () => clientSecret(key, settings, io.env),
      ...(person === undefined ? {} : { person }),
    });
    this.#made.set(key, made);
    return made;
  };

  /** A source that has the tokens read again when it is: a login or logout is a change to its connectors. */
  watchedBy(source: ConnectorSource): ConnectorSource {
    return {
      origin: source.origin,
      start: (listener) => source.start(listener),
      reload: async () => {
        for (const authorization of this.#made.values()) authorization.reread();
        await source.reload();
      },
      freshen: () => source.freshen?.(),
      close: () => source.close(),
    };
  }
}
