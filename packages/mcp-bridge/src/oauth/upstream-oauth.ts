import { GatewayError, messageOf, type Logger, type OAuthSettings, type Timers } from "@cortex-os/mcp-core";
import type { AuthorizationRefusal, UpstreamAuthorization } from "../http/upstream-authorization.js";
import type { TrustedPlaces } from "./address-rules.js";
import { wantedBy, type BearerChallenge } from "./challenge.js";
import type { OAuthWish } from "./oauth-flow.js";
import type { OAuthPerson } from "./oauth-person.js";
import { credentialsAt, type OAuthStore, type StoredAuthorization } from "./oauth-store.js";

/** How an {@link UpstreamOAuth} is made. */
export interface UpstreamOAuthOptions {
  /** The connector's key. */
  readonly key: string;
  /** The upstream's address. */
  readonly url: string;
  readonly settings?: OAuthSettings;
  readonly store: OAuthStore;
  /** Reads the secret of the configured client. @default it has none */
  readonly secret?: () => Promise<string | undefined>;
  /** Who is asked for consent. @default nobody: then the connector needs a login */
  readonly person?: OAuthPerson;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * OAuth towards one upstream. Its tokens are kept by issuer and sent to the address they are for and to no other; all that are refused at once wait for one renewal. The
 * SDK that does the dance is loaded when an upstream asks for it the first time.
 */
export class UpstreamOAuth implements UpstreamAuthorization {
  readonly #options: UpstreamOAuthOptions;
  #header: string | undefined;
  #running: Promise<void> | undefined;
  /** What could not be stored, and what is stored instead of it. */
  #unstored: { readonly kept: StoredAuthorization; readonly inPlaceOf: string | undefined } | undefined;

  constructor(options: UpstreamOAuthOptions) {
    this.#options = options;
    this.reread();
  }

  header(): string | undefined {
    return this.#header;
  }

  refused({ status, challenge: header, sent }: AuthorizationRefusal): Promise<void> | undefined {
    const challenge = wantedBy(status, header);
    if (challenge === undefined) return undefined;
    // Whoever comes with an old token missed the renewal.
    if (this.#isNewer(sent)) return Promise.resolve();
    this.reread();
    if (this.#isNewer(sent)) return Promise.resolve();
    this.#running ??= this.#run({ challenge, renew: true }).finally(() => {
      this.#running = undefined;
    });
    return status === 403 ? this.#running.catch(ofOneRequest) : this.#running;
  }

  /**
   * Has a new authorization granted, whatever there is.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE
   */
  async login(challenge: BearerChallenge): Promise<void> {
    await this.#run({ challenge, renew: false });
  }

  /** Uses from now on what the store holds: somebody else may have logged in, or out. */
  reread(): void {
    this.#header = headerOf(this.#read(), this.#options.url);
  }

  #isNewer(sent: string | undefined): boolean {
    return this.#header !== undefined && this.#header !== sent;
  }

  async #run(wish: OAuthWish): Promise<void> {
    const { key, url, settings = {}, person, timers } = this.#options;
    const { secret = () => Promise.resolve(undefined) } = this.#options;
    const [{ runOAuthFlow }, { GuardedFetch }] = await Promise.all([
      import("./oauth-flow.js"),
      import("./guarded-fetch.js"),
    ]);
    const places: TrustedPlaces = {
      resource: new URL(url),
      ...(settings.issuer === undefined ? {} : { issuer: new URL(settings.issuer) }),
    };
    const guarded = new GuardedFetch({ key, timers, ...places });
    try {
      const { fetch } = guarded;
      const read = () => this.#read();
      const keep = (change: Change) => this.#keep(change);
      await runOAuthFlow({ key, url, settings, places, read, secret, person, fetch, keep }, wish);
    } finally {
      await guarded.close();
    }
  }

  /** Stored first, used then: what the upstream has seen is never lost by a crash. */
  async #keep(change: Change): Promise<void> {
    const { key, logger, store } = this.#options;
    try {
      await store.update(change);
      this.#unstored = undefined;
    } catch (error) {
      // What was renewed is spent at the server: used without being stored it is good until the next start.
      logger.error({ connectorId: key, reason: messageOf(error) }, "An authorization could not be stored");
      this.#unstored = { kept: change(this.#read()), inPlaceOf: JSON.stringify(store.read()) };
    }
    this.reread();
  }

  #read(): StoredAuthorization | undefined {
    const stored = this.#options.store.read();
    if (this.#unstored === undefined) return stored;
    if (this.#unstored.inPlaceOf === JSON.stringify(stored)) return this.#unstored.kept;
    // Somebody could store something since: it is newer.
    this.#unstored = undefined;
    return stored;
  }
}

/** A request that needs more scopes fails by itself: others do without them, and their connector stays up. */
function ofOneRequest(error: unknown): never {
  throw new GatewayError("UPSTREAM_UNAVAILABLE", messageOf(error), { cause: error });
}

function headerOf(stored: StoredAuthorization | undefined, url: string): string | undefined {
  if (stored?.url !== url || stored.issuer === undefined) return undefined;
  const tokens = credentialsAt(stored, stored.issuer)?.tokens;
  return tokens === undefined ? undefined : `Bearer ${tokens.access_token}`;
}

type Change = (current: StoredAuthorization | undefined) => StoredAuthorization;
