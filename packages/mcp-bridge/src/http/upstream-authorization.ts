/** An answer that says: not like this. */
export interface AuthorizationRefusal {
  readonly status: 401 | 403;
  /** Its `www-authenticate`, several joined by commas. */
  readonly challenge: string | undefined;
  /** The `authorization` of the refused request. */
  readonly sent: string | undefined;
}

/**
 * What authorises the requests to one HTTP upstream, beyond headers that somebody configured: the port behind which OAuth lies. A refused request
 * was not carried out, so it may be sent again, a `tools/call` too (design.md, decision 9).
 */
export interface UpstreamAuthorization {
  /** The `authorization` of a request that is sent now, if there is one. */
  header(): string | undefined;
  /**
   * Hears of a refusal. Many may be told of one and the same at once.
   *
   * @returns `undefined` when it is not about authorization that can be had: the answer stands. Otherwise resolves when the request may be sent again
   * @throws GatewayError (by rejecting) when it cannot be had, with what is to be done
   */
  refused(refusal: AuthorizationRefusal): Promise<void> | undefined;
}
