import type { OAuthSettings } from "@cortex-os/mcp-core";
import { registerClient, type FetchLike, type OAuthClientMetadata } from "@modelcontextprotocol/client";
import { UnauthorizedError } from "../http/failures.js";
import type { AuthorizationServer } from "./authorization-server.js";
import { credentialsAt, type StoredAuthorization, type StoredClient } from "./oauth-store.js";

/** What {@link clientAt} needs. */
export interface ClientDeps {
  readonly key: string;
  readonly settings: OAuthSettings;
  /** The secret of the configured client. */
  readonly secret: () => Promise<string | undefined>;
  readonly fetch: FetchLike;
}

/**
 * As which client the gateway is known at this authorization server, as long as it need not be registered: as the configuration says, else as it registered
 * itself there, and never as it is known at another.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the configured client is of another server, or its secret cannot be read
 */
export async function knownClient(
  { key, settings, secret }: ClientDeps,
  stored: StoredAuthorization | undefined,
  { issuer }: AuthorizationServer,
): Promise<StoredClient | undefined> {
  const { clientId } = settings;
  if (clientId === undefined) return credentialsAt(stored, issuer)?.client;
  const bound = stored?.credentials.find(({ client }) => client?.client_id === clientId);
  if (settings.issuer === undefined && bound !== undefined && bound.issuer !== issuer) {
    const what = "is authorised by another server than the one its configured client was used at";
    throw new UnauthorizedError(key, `${what}; if that is meant, name it as oauth.issuer in its configuration`);
  }
  const clientSecret = await secret();
  return { client_id: clientId, ...(clientSecret === undefined ? {} : { client_secret: clientSecret }) };
}

/**
 * The client for a new authorization, which browsers come back to at `redirectUrl`: {@link knownClient}, or a URL that describes it, or one that is registered now.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when there is none to be had; whatever the SDK's registration throws
 */
export async function clientAt(
  deps: ClientDeps,
  stored: StoredAuthorization | undefined,
  server: AuthorizationServer,
  { redirectUrl, scope }: { readonly redirectUrl: string; readonly scope: string | undefined },
): Promise<StoredClient> {
  const { key, settings, fetch } = deps;
  const known = await knownClient(deps, stored, server);
  if (settings.clientId !== undefined && known !== undefined) return known;
  const { metadata } = server;
  const { clientMetadataUrl } = settings;
  if (clientMetadataUrl !== undefined && metadata?.client_id_metadata_document_supported === true)
    return { client_id: clientMetadataUrl, token_endpoint_auth_method: "none" };
  if (known?.redirect_uris?.includes(redirectUrl) === true) return known;
  if (metadata !== undefined && metadata.registration_endpoint === undefined) {
    const what = "is authorised by a server at which programs cannot register themselves";
    throw new UnauthorizedError(key, `${what}; register one by hand and put its id into oauth.clientId`);
  }
  const registered = await registerClient(server.url, {
    ...(metadata === undefined ? {} : { metadata }),
    clientMetadata: metadataOf(redirectUrl),
    ...(scope === undefined ? {} : { scope }),
    fetchFn: fetch,
  });
  return storedClient(registered, redirectUrl);
}

const metadataOf = (redirectUrl: string): OAuthClientMetadata => ({
  client_name: "cortex-mcp",
  redirect_uris: [redirectUrl],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  application_type: "native",
});

/** Of what came back, what is needed later. */
function storedClient(
  registered: {
    readonly client_id: string;
    readonly client_secret?: string | undefined;
    readonly client_secret_expires_at?: number | undefined;
    readonly token_endpoint_auth_method?: string | undefined;
  },
  redirectUrl: string,
): StoredClient {
  const { client_id, client_secret, client_secret_expires_at, token_endpoint_auth_method } = registered;
  return {
    client_id,
    ...(client_secret === undefined ? {} : { client_secret }),
    ...(client_secret_expires_at === undefined ? {} : { client_secret_expires_at }),
    ...(token_endpoint_auth_method === undefined ? {} : { token_endpoint_auth_method }),
    redirect_uris: [redirectUrl],
  };
}
