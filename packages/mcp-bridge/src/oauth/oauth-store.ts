/** A client as an authorization server knows it. */
export interface StoredClient {
  readonly client_id: string;
  /** Of a client that registered itself; one from the configuration stays there. */
  readonly client_secret?: string;
  readonly client_secret_expires_at?: number;
  readonly token_endpoint_auth_method?: string;
  /** Where its browsers come back to. */
  readonly redirect_uris?: readonly string[];
}

/** What a token endpoint gave. */
export interface StoredTokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  /** What was granted. */
  readonly scope?: string;
}

/** What is known at one authorization server; of no use at any other. */
export interface IssuerCredentials {
  readonly issuer: string;
  readonly client?: StoredClient;
  readonly tokens?: StoredTokens;
  /** What was asked for last, which may be more than what was granted. */
  readonly requested?: string;
}

/** All that is kept of one connector's authorization. */
export interface StoredAuthorization {
  /** The upstream's address: tokens go nowhere else. */
  readonly url: string;
  /** Whose tokens are in use. */
  readonly issuer?: string;
  /** Scopes that the upstream asked for, and that a person has to grant. */
  readonly wanted?: string;
  readonly credentials: readonly IssuerCredentials[];
}

/** Where one connector's authorization is kept. */
export interface OAuthStore {
  /** What is kept now, whoever wrote it; `undefined` when there is nothing, or nothing that can be read. Never throws. */
  read(): StoredAuthorization | undefined;
  /**
   * Replaces what is kept by what `change` makes of it, in one step that no other writer comes between. Resolves when that would survive a power cut.
   *
   * @throws GatewayError REGISTRY_IO
   */
  update(change: (current: StoredAuthorization | undefined) => StoredAuthorization): Promise<void>;
}

/** What is known at that issuer. */
export function credentialsAt(stored: StoredAuthorization | undefined, issuer: string): IssuerCredentials | undefined {
  return stored?.credentials.find((known) => known.issuer === issuer);
}

/** With these credentials in the place of the same issuer's, and in use. */
export function withCredentials(
  stored: StoredAuthorization | undefined,
  url: string,
  changed: IssuerCredentials,
): StoredAuthorization {
  const { credentials, ...rest } = stored?.url === url ? stored : { url, credentials: [] };
  const others = credentials.filter(({ issuer }) => issuer !== changed.issuer);
  return { ...rest, issuer: changed.issuer, credentials: [...others, changed] };
}
