const REVISION = "2026-07-28";

/** What came back for one modern request. */
export interface ModernAnswer {
  readonly status: number;
  readonly message: Readonly<Record<string, unknown>>;
}

/** One request of 2026-07-28 over HTTP without an SDK, which would do something by itself. */
export async function modernPost(
  url: string,
  method: string,
  params: Record<string, unknown>,
  { headers = {}, meta = {} }: { headers?: Record<string, string>; meta?: Record<string, unknown> } = {},
): Promise<ModernAnswer> {
  const named = params["name"] ?? params["uri"];
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": REVISION,
      "mcp-method": method,
      ...(typeof named === "string" ? { "mcp-name": named } : {}),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": REVISION,
          "io.modelcontextprotocol/clientCapabilities": {},
          ...meta,
        },
      },
    }),
  });
  const text = await response.text();
  const json = text.startsWith("{") ? text : (/^data: (\{.*"(?:result|error)".*)$/m.exec(text)?.[1] ?? "");
  return { status: response.status, message: JSON.parse(json) as Record<string, unknown> };
}
