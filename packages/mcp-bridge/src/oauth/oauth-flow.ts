import { randomBytes } from "node:crypto";
import { GatewayError, type OAuthSettings } from "@cortex-os/mcp-core";
import {
  ClientCredentialsProvider,
  exchangeAuthorization,
  fetchToken,
  IssuerMismatchError,
  OAuthError,
  OAuthErrorCode,
  refreshAuthorization,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from "@modelcontextprotocol/client";
import { UnauthorizedError } from "../http/failures.js";
import { quoteUpstream } from "../upstream-text.js";
import { judgeBrowserUrl, type TrustedPlaces } from "./address-rules.js";
import { findAuthorizationServer, type AuthorizationServer } from "./authorization-server.js";
import type { BearerChallenge } from "./challenge.js";
import { clientAt, knownClient, type ClientDeps } from "./oauth-client.js";
import type { OAuthPerson } from "./oauth-person.js";
import {
  credentialsAt,
  withCredentials,
  type IssuerCredentials,
  type StoredAuthorization,
  type StoredClient,
  type StoredTokens,
} from "./oauth-store.js";
import { isMore, scopeUnion } from "./scopes.js";

/** The code of a failure that may pass: nothing was refused. */
const SERVER_ERROR: string = OAuthErrorCode.ServerError;
/** With these codes the server says that it does not know the client. */
const FOREIGN: ReadonlySet<string> = new Set([OAuthErrorCode.InvalidClient, OAuthErrorCode.UnauthorizedClient]);

/** What one run of the flow works with. */
export interface OAuthFlowDeps extends ClientDeps {
  readonly url: string;
  readonly settings: OAuthSettings;
  readonly places: TrustedPlaces;
  /** What is kept now. */
  readonly read: () => StoredAuthorization | undefined;
  /** Who can be asked; nobody for a gateway that runs by itself. */
  readonly person: OAuthPerson | undefined;
  /** Takes what was gained: stores it, and uses it from then on. */
  readonly keep: (change: (current: StoredAuthorization | undefined) => StoredAuthorization) => Promise<void>;
}

/** How a run begins. */
export interface OAuthWish {
  readonly challenge: BearerChallenge;
  /** Whether tokens that are there may be renewed; otherwise a new authorization is had. */
  readonly renew: boolean;
}

/**
 * Gets an authorization that answers the challenge (2026-07-28, Authorization), cheapest first: renews tokens, asks with the client's own credentials, asks a person.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE with what is to be done; nothing of the servers' answers is in it but marked text
 */
export async function runOAuthFlow(deps: OAuthFlowDeps, wish: OAuthWish): Promise<void> {
  try {
    await run(deps, wish);
  } catch (error) {
    throw GatewayError.is(error) ? error : new UnauthorizedError(deps.key, failureText(error), { cause: error });
  }
}

async function run(deps: OAuthFlowDeps, { challenge, renew }: OAuthWish): Promise<void> {
  const { key, url, settings, read, fetch, person } = deps;
  const stored = ownPart(read(), url);
  const server = await findAuthorizationServer(
    { key, url, issuer: settings.issuer, known: stored?.issuer, fetch },
    challenge,
  );
  const credentials = credentialsAt(stored, server.issuer);
  const isStepUp = challenge.error === "insufficient_scope";
  const asked = credentials?.requested ?? credentials?.tokens?.scope;
  const scope = scopeFor(settings, server, scopeUnion(isStepUp ? asked : undefined, stored?.wanted, challenge.scope));
  if (isStepUp && !isMore(scope, asked))
    throw new UnauthorizedError(
      key,
      `wants more than it was authorised for, and does not say what ${quoteUpstream(challenge.scope ?? "")}`,
    );
  if (renew && !isStepUp && (await isRenewed(deps, server, credentials))) return;
  if (settings.grant === "client_credentials") await askForClient(deps, server, scope);
  else if (person !== undefined) await askPerson(deps, { server, person, scope });
  else {
    if (isStepUp && scope !== undefined)
      await deps.keep((current) => ({ ...(ownPart(current, url) ?? { url, credentials: [] }), wanted: scope }));
    const why = isStepUp ? "needs login for more scopes" : "needs login";
    throw new UnauthorizedError(key, `${why}: run cortex-mcp login ${key}`);
  }
}

/** What is kept, as far as it is for this address. */
const ownPart = (stored: StoredAuthorization | undefined, url: string): StoredAuthorization | undefined =>
  stored?.url === url ? stored : undefined;

/** What is asked for (2026-07-28, Scope Selection Strategy), and a token that can be renewed where the server says how. */
function scopeFor(
  { scopes }: OAuthSettings,
  { metadata, scopesSupported }: AuthorizationServer,
  wanted: string | undefined,
): string | undefined {
  const scope = wanted ?? scopeUnion(...(scopes ?? scopesSupported));
  const renewable = metadata?.scopes_supported?.includes("offline_access") === true;
  return scope === undefined || !renewable ? scope : scopeUnion(scope, "offline_access");
}

/** What every request to the authorization server has. */
const common = ({ fetch }: OAuthFlowDeps, { metadata, resource }: AuthorizationServer) => ({
  ...(metadata === undefined ? {} : { metadata }),
  resource,
  fetchFn: fetch,
});

/** @returns false when only a new authorization helps: there is nothing to renew, or it is not accepted any more */
async function isRenewed(
  deps: OAuthFlowDeps,
  server: AuthorizationServer,
  credentials: IssuerCredentials | undefined,
): Promise<boolean> {
  const refreshToken = credentials?.tokens?.refresh_token;
  const client = await knownClient(deps, ownPart(deps.read(), deps.url), server);
  if (credentials === undefined || refreshToken === undefined || client === undefined) return false;
  try {
    const tokens = await refreshAuthorization(server.url, {
      ...common(deps, server),
      clientInformation: informationOf(client),
      refreshToken,
    });
    // Who is not told what was granted got what was there.
    const granted = tokens.scope === undefined ? credentials.tokens : tokens;
    await keepTokens(deps, { ...credentials, tokens: storedTokens(deps.key, { ...tokens, scope: granted?.scope }) });
    return true;
  } catch (error) {
    if (!(error instanceof OAuthError) || error.code === SERVER_ERROR) throw error;
    return !(await isForgotten(deps, credentials, FOREIGN.has(error.code)));
  }
}

/** Forgets tokens that cannot be renewed, and the client that is not known any more, unless somebody else has put others there meanwhile. */
async function isForgotten(deps: OAuthFlowDeps, refused: IssuerCredentials, withClient: boolean): Promise<boolean> {
  const { issuer, client, requested, tokens } = refused;
  let forgotten = false;
  await deps.keep((current) => {
    const now = credentialsAt(ownPart(current, deps.url), issuer)?.tokens;
    forgotten = current === undefined || now?.refresh_token === tokens?.refresh_token;
    if (!forgotten && current !== undefined) return current;
    return withCredentials(current, deps.url, {
      issuer,
      ...(requested === undefined ? {} : { requested }),
      ...(withClient || client === undefined ? {} : { client }),
    });
  });
  return forgotten;
}

async function askForClient(
  deps: OAuthFlowDeps,
  server: AuthorizationServer,
  scope: string | undefined,
): Promise<void> {
  const client = await knownClient(deps, ownPart(deps.read(), deps.url), server);
  if (client?.client_secret === undefined)
    throw new UnauthorizedError(
      deps.key,
      "cannot authorise itself: oauth needs a clientId and a clientSecretEnv or clientSecretFile",
    );
  const provider = new ClientCredentialsProvider({
    clientId: client.client_id,
    clientSecret: client.client_secret,
    expectedIssuer: server.issuer,
  });
  const tokens = await fetchToken(provider, server.url, {
    ...common(deps, server),
    ...(scope === undefined ? {} : { scope }),
  });
  await keepTokens(deps, {
    issuer: server.issuer,
    client: { client_id: client.client_id },
    tokens: storedTokens(deps.key, tokens),
    ...(scope === undefined ? {} : { requested: scope }),
  });
}

interface Asking {
  readonly server: AuthorizationServer;
  readonly person: OAuthPerson;
  readonly scope: string | undefined;
}

async function askPerson(deps: OAuthFlowDeps, { server, person, scope }: Asking): Promise<void> {
  const { key, url, read } = deps;
  const { issuer, metadata } = server;
  if (metadata !== undefined && metadata.code_challenge_methods_supported?.includes("S256") !== true)
    throw new UnauthorizedError(
      key,
      "cannot be authorised: its authorization server does not say that it supports PKCE with S256",
    );
  const visit = await person.receive();
  try {
    const { redirectUrl } = visit;
    const client = await clientAt(deps, ownPart(read(), url), server, { redirectUrl, scope });
    const state = randomBytes(32).toString("base64url");
    const { authorizationUrl, codeVerifier } = await startAuthorization(server.url, {
      ...common(deps, server),
      clientInformation: informationOf(client),
      redirectUrl,
      state,
      ...(scope === undefined ? {} : { scope }),
    });
    if (!judgeBrowserUrl(authorizationUrl, deps.places))
      throw new UnauthorizedError(
        key,
        "cannot be authorised: its authorization server would send the browser to an address that is not https",
      );
    const answer = await visit.visit(authorizationUrl, state);
    if (answer.get("state") !== state)
      throw new UnauthorizedError(key, "was not authorised: the browser came back with another state");
    const iss = answer.get("iss") ?? undefined;
    // Before anything else of the answer is looked at: it may be another server's (RFC 9207).
    validateAuthorizationResponseIssuer({
      iss,
      expectedIssuer: metadata?.issuer,
      issParameterSupported: metadata?.authorization_response_iss_parameter_supported === true,
    });
    const code = answer.get("code");
    if (code === null)
      throw new UnauthorizedError(
        key,
        `was not authorised: the authorization server said no ${quoteUpstream(answer.get("error") ?? "")}`,
      );
    const tokens = await exchangeAuthorization(server.url, {
      ...common(deps, server),
      clientInformation: informationOf(client),
      authorizationCode: code,
      ...(iss === undefined ? {} : { iss }),
      codeVerifier,
      redirectUri: redirectUrl,
    });
    const kept = client.client_id === deps.settings.clientId ? { client_id: client.client_id } : client;
    await keepTokens(deps, {
      ...{ issuer, client: kept, tokens: storedTokens(key, tokens) },
      ...(scope === undefined ? {} : { requested: scope }),
    });
  } finally {
    await visit.close();
  }
}

/** Puts credentials in the place of what was kept of their issuer. What was wanted of a person has been granted now, or refused. */
async function keepTokens(deps: OAuthFlowDeps, credentials: IssuerCredentials): Promise<void> {
  await deps.keep((current) => {
    const { wanted: _, ...rest } = withCredentials(current, deps.url, credentials);
    return rest;
  });
}

/** A client as the SDK wants it: the same, with nothing read-only. */
function informationOf({ redirect_uris: redirectUris, ...client }: StoredClient) {
  return { ...client, redirect_uris: [...(redirectUris ?? [])] };
}

/** What a header can carry (RFC 6750 allows less, and servers send more). */
const SENDABLE = /^[\x21-\x7e]+$/;

function storedTokens(
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

/** Why it failed, without what an answer held that may be secret or another server's. */
function failureText(error: unknown): string {
  if (error instanceof IssuerMismatchError) {
    return error.kind === "metadata"
      ? "cannot be authorised: its authorization server's metadata names another issuer"
      : "was not authorised: the answer is not from the authorization server that was asked";
  }
  if (error instanceof OAuthError)
    return `was not authorised: the authorization server refused ${quoteUpstream(error.code)}`;
  return "cannot be authorised: its authorization server does not do what OAuth asks for";
}
