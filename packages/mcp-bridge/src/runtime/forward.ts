/** One raw exchange with an HTTP upstream. */
export interface ForwardRequest {
  /** @default "POST" */
  readonly method?: "POST" | "GET" | "DELETE";
  /** Beside the connector's own; a POST gets MCP's `accept` and `content-type` unless they are given. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came back, whatever its status. */
export interface ForwardedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
