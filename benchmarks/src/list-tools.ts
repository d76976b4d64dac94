import { request } from "undici";

/** The names of the tools that a gateway lists, from the first page to the last. @throws Error when it answers anything else */
export async function listTools(url: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const { result } = await page(url, cursor === "" ? {} : { cursor });
    if (result === undefined) throw new Error(`${url} did not answer tools/list with a list`);
    names.push(...result.tools.map(({ name }) => name));
    cursor = result.nextCursor;
  }
  return names;
}

interface Page {
  readonly result?: { readonly tools: readonly { readonly name: string }[]; readonly nextCursor?: string };
}

async function page(url: string, params: object): Promise<Page> {
  const { body } = await request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/list",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list",
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "benchmark", version: "1.0.0" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  // It is our own gateway's answer; what is missing in it is found when it is read.
  return (await body.json()) as Page;
}
