import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

/** One message that a {@link startJsonRpcServer} got. */
export interface Asked {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: { readonly _meta?: Readonly<Record<string, unknown>> };
}

/** A server over HTTP that answers each message with one JSON text and checks nothing. */
export interface JsonRpcServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one on a free port. @param resultOf the result of a request; `undefined` where there is no such method */
export async function startJsonRpcServer(resultOf: (asked: Asked) => object | undefined): Promise<JsonRpcServer> {
  const answer = async (request: IncomingMessage): Promise<string | undefined> => {
    const asked = JSON.parse(await text(request)) as Asked;
    const result = resultOf(asked);
    if (asked.id === undefined) return undefined;
    const unknown = { error: { code: -32_601, message: "Method not found" } };
    return JSON.stringify({ jsonrpc: "2.0", id: asked.id, ...(result === undefined ? unknown : { result }) });
  };
  const server = createServer((request, response) => {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    void answer(request).then((body) => {
      if (body === undefined) response.writeHead(202).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    close: async () => {
      const closed = once(server, "close");
      server.close().closeAllConnections();
      await closed;
    },
  };
}
