import {
  checkResourceAllowed,
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  resourceUrlFromServerUrl,
  type AuthorizationServerMetadata,
  type FetchLike,
  type OAuthProtectedResourceMetadata,
} from "@modelcontextprotocol/client";
import { GatewayError } from "@cortex-os/mcp-core";
import { UnauthorizedError } from "../http/failures.js";
import { quoteUpstream } from "../upstream-text.js";
import type { BearerChallenge } from "./challenge.js";

/** Whom an upstream is authorised by. */
export interface AuthorizationServer {
  /** What credentials are kept under: the issuer of its metadata, which is the one its URL was made of. */
  readonly issuer: string;
  /** What its URLs are made of where it has no metadata. */
  readonly url: string;
  /** `undefined` for a server of 2025-03-26 that has none. */
  readonly metadata: AuthorizationServerMetadata | undefined;
  /** The `resource` of every request (RFC 8707). */
  readonly resource: string;
  /** What the upstream can be asked for. */
  readonly scopesSupported: readonly string[];
}

/** What {@link findAuthorizationServer} needs. */
export interface FindDeps {
  readonly key: string;
  readonly url: string;
  /** The only issuer that will do, if local configuration names one. */
  readonly issuer: string | undefined;
  /** Whose credentials are in use: preferred where the upstream leaves a choice. */
  readonly known: string | undefined;
  readonly fetch: FetchLike;
}

/**
 * Finds out who authorises an upstream: by its protected-resource metadata (RFC 9728), from the challenge or the well-known places, and the authorization server's own
 * (RFC 8414, OpenID Connect). An upstream without the former is its own authorization server, as 2025-03-26 had it.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE; whatever the SDK's discovery throws
 */
export async function findAuthorizationServer(
  deps: FindDeps,
  { resourceMetadata: named }: BearerChallenge,
): Promise<AuthorizationServer> {
  const { key, fetch } = deps;
  const described = await resourceMetadataOf(deps, named);
  const ownUrl = resourceUrlFromServerUrl(deps.url);
  if (
    described !== undefined &&
    !checkResourceAllowed({ requestedResource: ownUrl, configuredResource: described.resource })
  ) {
    throw new UnauthorizedError(
      key,
      `cannot be authorised: its metadata is of another resource ${quoteUpstream(described.resource)}`,
    );
  }
  const url = chosenServer(deps, described?.authorization_servers ?? []) ?? new URL("/", deps.url).href;
  const metadata = await discoverAuthorizationServerMetadata(url, { fetchFn: fetch });
  // 2026-07-28 leaves nothing to guess: only an upstream of 2025-03-26 has the endpoints that were then the default.
  if (metadata === undefined && described !== undefined)
    throw new UnauthorizedError(
      key,
      `cannot be authorised: its authorization server ${quoteUpstream(url)} has no metadata`,
    );
  const issuer = metadata?.issuer ?? url;
  if (deps.issuer !== undefined && deps.issuer !== issuer) {
    throw new UnauthorizedError(
      key,
      `cannot be authorised: it names the issuer ${quoteUpstream(issuer)} where its configuration allows another`,
    );
  }
  return {
    ...{ issuer, url, metadata },
    resource: described?.resource ?? ownUrl.href,
    scopesSupported: described?.scopes_supported ?? [],
  };
}

async function resourceMetadataOf(
  { key, url, fetch }: FindDeps,
  named: string | undefined,
): Promise<OAuthProtectedResourceMetadata | undefined> {
  if (named !== undefined && !URL.canParse(named))
    throw new UnauthorizedError(key, `names no usable address of its metadata ${quoteUpstream(named)}`);
  const options = named === undefined ? {} : { resourceMetadataUrl: named };
  try {
    return await discoverOAuthProtectedResourceMetadata(url, options, fetch);
  } catch (error) {
    if (GatewayError.is(error)) throw error;
    if (named === undefined) return undefined;
    throw new UnauthorizedError(key, `has no usable metadata where it says it has ${quoteUpstream(named)}`, {
      cause: error,
    });
  }
}

function chosenServer({ issuer, known }: FindDeps, offered: readonly string[]): string | undefined {
  return offered.find((url) => url === issuer) ?? offered.find((url) => url === known) ?? offered[0];
}
