/** Somebody with a browser, who can say yes. */
export interface OAuthPerson {
  /** Makes ready for the browser to come back. */
  receive(): Promise<OAuthVisit>;
}

/** One way of a browser to the authorization server and back. */
export interface OAuthVisit {
  /** Where it comes back to. */
  readonly redirectUrl: string;
  /**
   * Sends the browser there, and waits for it.
   *
   * @param state what it brings back: one that brings another is not ours, and not waited for any less
   * @returns the parameters that it came back with
   * @throws GatewayError when it does not come back
   */
  visit(url: URL, state: string): Promise<URLSearchParams>;
  /** Nobody is waited for any more. Idempotent. */
  close(): Promise<void>;
}
