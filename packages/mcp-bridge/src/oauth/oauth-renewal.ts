import { OAuthError, OAuthErrorCode, refreshAuthorization } from "@modelcontextprotocol/client";
import type { AuthorizationServer } from "./authorization-server.js";
import { knownClient } from "./oauth-client.js";
import { credentialsAt, partFor, withCredentials, type IssuerCredentials, type StoredClient } from "./oauth-store.js";
import { common, informationOf, storedTokens, type OAuthFlowDeps } from "./token-requests.js";

/** The codes of failures that may pass: nothing was refused. */
const PASSING: ReadonlySet<string> = new Set([
  OAuthErrorCode.ServerError,
  OAuthErrorCode.TemporarilyUnavailable,
  OAuthErrorCode.TooManyRequests,
]);
/** With these codes the server says that it does not know the client. */
const FOREIGN: ReadonlySet<string> = new Set([OAuthErrorCode.InvalidClient, OAuthErrorCode.UnauthorizedClient]);
/**
 * Renews the tokens that were found, or learns that somebody else did.
 *
 * @returns false when only a new authorization helps: there is nothing to renew, or it is not accepted any more
 */
export async function isRenewed(
  deps: OAuthFlowDeps,
  server: AuthorizationServer,
  found: IssuerCredentials | undefined,
): Promise<boolean> {
  const client = await knownClient(deps, partFor(deps.read(), deps.url), server);
  if (found?.tokens?.refresh_token === undefined || client === undefined) return false;
  const done = await deps.renewing();
  try {
    const credentials = credentialsAt(partFor(deps.read(), deps.url), server.issuer);
    const refreshToken = credentials?.tokens?.refresh_token;
    // Somebody logged out meanwhile, or renewed them.
    if (credentials === undefined || refreshToken === undefined) return false;
    if (refreshToken !== found.tokens.refresh_token) return true;
    return await isRenewedWith(deps, server, { credentials, refreshToken, client });
  } finally {
    await done();
  }
}

interface Renewal {
  readonly credentials: IssuerCredentials;
  readonly refreshToken: string;
  readonly client: StoredClient;
}

async function isRenewedWith(
  deps: OAuthFlowDeps,
  server: AuthorizationServer,
  { credentials, refreshToken, client }: Renewal,
): Promise<boolean> {
  try {
    const tokens = await refreshAuthorization(server.url, {
      ...common(deps, server),
      clientInformation: informationOf(client),
      refreshToken,
    });
    // Who is not told what was granted got what was there.
    const granted = tokens.scope === undefined ? credentials.tokens : tokens;
    const renewed = { ...credentials, tokens: storedTokens(deps.key, { ...tokens, scope: granted?.scope }) };
    await replaceTokens(deps, credentials, renewed);
    return true;
  } catch (error) {
    if (!(error instanceof OAuthError) || PASSING.has(error.code)) throw error;
    const { issuer, requested } = credentials;
    // A client that was configured stays bound to this issuer, whatever the issuer says of it.
    const isLost = FOREIGN.has(error.code) && client.client_id !== deps.settings.clientId;
    return !(await replaceTokens(deps, credentials, {
      issuer,
      ...(requested === undefined ? {} : { requested }),
      ...(isLost || credentials.client === undefined ? {} : { client: credentials.client }),
    }));
  }
}

/**
 * Puts other credentials in the place of these, unless somebody logged in or out meanwhile: that counts then.
 *
 * @returns false when somebody logged in
 */
async function replaceTokens(
  deps: OAuthFlowDeps,
  { issuer, tokens }: IssuerCredentials,
  changed: IssuerCredentials,
): Promise<boolean> {
  let isOther = false;
  await deps.keep((current) => {
    const now = credentialsAt(partFor(current, deps.url), issuer)?.tokens;
    isOther = now !== undefined && now.refresh_token !== tokens?.refresh_token;
    return now === undefined || isOther ? undefined : withCredentials(current, deps.url, changed);
  });
  return !isOther;
}
