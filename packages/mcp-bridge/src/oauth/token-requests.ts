import type { OAuthSettings } from "@cortex-os/mcp-core";
import { UnauthorizedError } from "../http/failures.js";
import type { TrustedPlaces } from "./address-rules.js";
import type { AuthorizationServer } from "./authorization-server.js";
import type { ClientDeps } from "./oauth-client.js";
import type { OAuthPerson } from "./oauth-person.js";
import type { AuthorizationChange, StoredAuthorization, StoredClient, StoredTokens } from "./oauth-store.js";

/** What one run of the flow works with. */
export interface OAuthFlowDeps extends ClientDeps {
  /** The upstream's address. */
  readonly url: string;
  readonly settings: OAuthSettings;
  readonly places: TrustedPlaces;
  /** What is kept now. */
  readonly read: () => StoredAuthorization | undefined;
  /** Who can be asked; nobody for a gateway that runs by itself. */
  readonly person: OAuthPerson | undefined;
  /** Takes what was gained: stores it, and uses it from then on. */
  readonly keep: (change: AuthorizationChange) => Promise<void>;
  /** Waits until nobody else renews the tokens. @returns lets the next one go on */
  readonly renewing: () => Promise<() => Promise<void>>;
}

/** What every request to the authorization server has. */
export const common = ({ fetch }: OAuthFlowDeps, { metadata, resource }: AuthorizationServer) => ({
  ...(metadata === undefined ? {} : { metadata }),
  resource,
  fetchFn: fetch,
});

/** A client as the SDK wants it: the same, with nothing read-only. */
export function informationOf({ redirect_uris: redirectUris, ...client }: StoredClient) {
  return { ...client, redirect_uris: [...(redirectUris ?? [])] };
}

/** What a header can carry (RFC 6750 allows less, and servers send more). */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * Of what a token endpoint gave, what is kept.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when it is no Bearer token
 */
export function storedTokens(
  key: string,
  tokens: {
    readonly access_token: string;
    readonly token_type: string;
    readonly refresh_token?: string | undefined;
    readonly scope?: string | undefined;
  },
): StoredTokens {
  if (tokens.token_type.toLowerCase() !== "bearer" || !SENDABLE.test(tokens.access_token))
    throw new UnauthorizedError(key, "was given a token that is no Bearer token");
  const { access_token, refresh_token, scope } = tokens;
  return {
    access_token,
    ...(refresh_token === undefined ? {} : { refresh_token }),
    ...(scope === undefined ? {} : { scope }),
  };
}
