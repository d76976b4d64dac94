import { GatewayError, messageOf, type Logger, type OAuthSettings, type Timers } from "@cortex-os/mcp-core";
import { NotGrantedError, UnauthorizedError } from "../http/failures.js";
import type { AuthorizationRefusal, UpstreamAuthorization } from "../http/upstream-authorization.js";
import type { TrustedPlaces } from "./address-rules.js";
import { wantedBy, type BearerChallenge } from "./challenge.js";
import type { OAuthWish } from "./oauth-flow.js";
import type { OAuthPerson } from "./oauth-person.js";
import { credentialsAt, type AuthorizationChange, type OAuthStore, type StoredAuthorization } from "./oauth-store.js";

/** Most refusals of one token that are remembered: upstreams make up what they want. */
const MAX_DENIED = 64;

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
  /** What this token cannot do, by the scopes that were asked for: nobody is there to grant them, so nothing is looked up again. */
  readonly #denied = new Map<string, GatewayError>();
  /** What the last run gained. */
  #gained: string | undefined;
  /** What could not be stored, and what is stored instead of it. */
  #unstored: Unstored | undefined;

  constructor(options: UpstreamOAuthOptions) {
    this.#options = options;
    this.reread();
  }

  header(): string | undefined {
    return this.#header;
  }

  refused({ status, challenge: header, sent, isAgain }: AuthorizationRefusal): Promise<void> | undefined {
    const challenge = wantedBy(status, header);
    if (challenge === undefined) return undefined;
    // Whoever comes with an old token missed the renewal.
    if (this.#isNewer(sent)) return Promise.resolve();
    this.reread();
    if (this.#isNewer(sent)) return Promise.resolve();
    if (status === 401 && isAgain && sent !== undefined && sent === this.#gained) {
      // Another one would be refused, too, and the next call would begin anew.
      const why = "does not accept the token that its authorization server gave";
      return Promise.reject(new UnauthorizedError(this.#options.key, why));
    }
    const denied = status === 403 ? this.#denialOf(challenge) : undefined;
    if (denied !== undefined) return Promise.reject(ofOneRequest(denied));
    this.#running ??= this.#run({ challenge, renew: true }).finally(() => {
      this.#running = undefined;
    });
    if (status === 401) return this.#running;
    return this.#running.catch((error: unknown) => {
      if (error instanceof NotGrantedError) this.#denied.set(challenge.scope ?? "", error);
      throw ofOneRequest(error);
    });
  }

  /**
   * Has a new authorization granted, whatever there is.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE; REGISTRY_IO when it was granted and is lost, because it could not be stored
   */
  async login(challenge: BearerChallenge): Promise<void> {
    await this.#run({ challenge, renew: false });
    if (this.#unstored === undefined) return;
    const { reason } = this.#unstored;
    throw new GatewayError("REGISTRY_IO", `The authorization of "${this.#options.key}" could not be stored: ${reason}`);
  }

  /** Uses from now on what the store holds: somebody else may have logged in, or out. */
  reread(): void {
    const header = headerOf(this.#read(), this.#options.url);
    if (header === this.#header) return;
    this.#header = header;
    this.#denied.clear();
  }

  /** The refusal that is known already of what this challenge wants. */
  #denialOf({ scope = "" }: BearerChallenge): GatewayError | undefined {
    const [whichever] = this.#denied.values();
    return this.#denied.get(scope) ?? (this.#denied.size < MAX_DENIED ? undefined : whichever);
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
      const keep = (change: AuthorizationChange) => this.#keep(change);
      const renewing = () => this.#renewing();
      await runOAuthFlow({ key, url, settings, places, read, secret, person, fetch, keep, renewing }, wish);
      this.reread();
      this.#gained = this.#header;
    } finally {
      await guarded.close();
    }
  }

  /** Stored first, used then: what the upstream has seen is never lost by a crash. */
  async #keep(change: AuthorizationChange): Promise<void> {
    const { key, logger, store } = this.#options;
    try {
      let isKept = false;
      await store.update((stored) => {
        const kept = change(this.#latest(stored));
        isKept = kept !== undefined;
        return kept;
      });
      if (isKept) this.#unstored = undefined;
    } catch (error) {
      const reason = messageOf(error);
      // What was renewed is spent at the server: used without being stored it is good until the next start.
      logger.error({ connectorId: key, reason }, "An authorization could not be stored");
      const stored = store.read();
      const kept = change(this.#latest(stored));
      if (kept !== undefined) this.#unstored = { kept, inPlaceOf: JSON.stringify(stored), reason };
    }
    this.reread();
  }

  /** A disk on which nobody can wait for another does not keep a call from being made. */
  async #renewing(): Promise<() => Promise<void>> {
    const { key, logger, store } = this.#options;
    try {
      return await store.renewing();
    } catch (error) {
      logger.warn({ connectorId: key, reason: messageOf(error) }, "Tokens are renewed without waiting for others");
      return () => Promise.resolve();
    }
  }

  #read(): StoredAuthorization | undefined {
    return this.#latest(this.#options.store.read());
  }

  /** What counts when this is stored. */
  #latest(stored: StoredAuthorization | undefined): StoredAuthorization | undefined {
    if (this.#unstored === undefined) return stored;
    if (this.#unstored.inPlaceOf === JSON.stringify(stored)) return this.#unstored.kept;
    // Somebody could store something since: it is newer.
    this.#unstored = undefined;
    return stored;
  }
}

interface Unstored {
  readonly kept: StoredAuthorization;
  readonly inPlaceOf: string | undefined;
  readonly reason: string;
}

/** A request that needs more scopes fails by itself: others do without them, and their connector stays up. */
function ofOneRequest(error: unknown): GatewayError {
  return new GatewayError("UPSTREAM_UNAVAILABLE", messageOf(error), { cause: error });
}

function headerOf(stored: StoredAuthorization | undefined, url: string): string | undefined {
  if (stored?.url !== url || stored.issuer === undefined) return undefined;
  const tokens = credentialsAt(stored, stored.issuer)?.tokens;
  return tokens === undefined ? undefined : `Bearer ${tokens.access_token}`;
}
