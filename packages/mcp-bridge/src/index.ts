export * from "./address/public-address.js";
export { offersRoots } from "./asking/client-capabilities.js";
export type * from "./asking/question.js";
export * from "./byte-budget.js";
export { cutShortFailure } from "./http/failures.js";
export { isHeaderName, isReservedHeader } from "./http/request-headers.js";
export type * from "./http/upstream-authorization.js";
export * from "./link.js";
export { isOfProtocol, isResourceUpdate, OWN_NOTIFICATIONS } from "./listening/notifications.js";
export { bearerChallenge, type BearerChallenge } from "./oauth/challenge.js";
export type * from "./oauth/oauth-person.js";
export type {
  AuthorizationChange,
  IssuerCredentials,
  OAuthStore,
  StoredAuthorization,
  StoredClient,
  StoredTokens,
} from "./oauth/oauth-store.js";
export { UpstreamOAuth, type UpstreamOAuthOptions } from "./oauth/upstream-oauth.js";
export * from "./runtime/exchange.js";
export type * from "./runtime/forward.js";
export type { UpstreamList } from "./runtime/list-all.js";
export type * from "./runtime/proxy-state.js";
export * from "./runtime/remote-proxy.js";
export type { CallToolOptions, RemoteProxyOptions, RemoteProxyPorts } from "./runtime/remote-proxy-options.js";
export * from "./runtime/remote-tool-proxy.js";
export { LineReader } from "./stdio/framing.js";
export { findCommand, type CommandPlace } from "./stdio/find-command.js";
