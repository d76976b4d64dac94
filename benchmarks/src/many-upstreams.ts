import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { classifyMessage } from "@cortex-os/mcp-core/wire";

const META = '"resultType":"complete","ttlMs":300000,"cacheScope":"public"';
const DISCOVERED = `{${META},"supportedVersions":["2026-07-28"],"serverInfo":{"name":"many","version":"1.0.0"},"capabilities":{"tools":{"listChanged":true}}}`;
const CALLED = '{"resultType":"complete","content":[{"type":"text","text":"hello"}]}';
const SCHEMA = JSON.stringify({
  type: "object",
  properties: {
    query: { type: "string", description: "What to look for, in the words of whoever asks." },
    limit: { type: "integer", minimum: 1, maximum: 100, description: "Most results." },
  },
  required: ["query"],
});

/** Many upstreams of the modern era in one server, told apart by their paths, as small and as fast as can be: what is measured is the gateway. */
class ManyUpstreams {
  readonly #tools: number;
  /** Nearly every upstream is in its first edition. */
  readonly #first: string;
  readonly #editions = new Map<string, number>();
  readonly #streams = new Map<string, Map<ServerResponse, string>>();

  constructor(tools: number) {
    this.#tools = tools;
    this.#first = listed(tools, 0);
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [path = "", changed] = (request.url ?? "/").split("?");
      if (path === "/changed" && changed !== undefined) {
        this.#change(changed);
        response.writeHead(204).end();
      } else this.#answer(path, Buffer.concat(chunks).toString(), response);
    });
  }

  #change(path: string): void {
    this.#editions.set(path, (this.#editions.get(path) ?? 0) + 1);
    for (const [response, id] of this.#streams.get(path) ?? []) response.write(event("tools/list_changed", id));
  }

  #listen(path: string, id: string, response: ServerResponse): void {
    const own = this.#streams.get(path) ?? new Map<ServerResponse, string>();
    this.#streams.set(path, own);
    own.set(response, id);
    response.on("close", () => own.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event("subscriptions/acknowledged", id, '"notifications":{"toolsListChanged":true},'));
  }

  #answer(path: string, body: string, response: ServerResponse): void {
    const classified = classifyMessage(JSON.parse(body));
    if (classified.kind !== "request") {
      response.writeHead(202).end();
      return;
    }
    const { id, method } = classified.message;
    const own = JSON.stringify(id);
    if (method === "subscriptions/listen") {
      this.#listen(path, own, response);
      return;
    }
    const edition = this.#editions.get(path) ?? 0;
    const results: Record<string, string> = {
      "server/discover": DISCOVERED,
      "tools/list": edition === 0 ? this.#first : listed(this.#tools, edition),
      "tools/call": CALLED,
    };
    const result = results[method];
    const text =
      result === undefined
        ? `{"jsonrpc":"2.0","id":${own},"error":{"code":-32601,"message":"no such method"}}`
        : `{"jsonrpc":"2.0","id":${own},"result":${result}}`;
    response.writeHead(result === undefined ? 404 : 200, { "content-type": "application/json" }).end(text);
  }
}

function listed(tools: number, edition: number): string {
  const entries = Array.from({ length: tools }, (_, at) => {
    const description = `Tool ${at} of many, in edition ${at === 0 ? edition : 0}, described as briefly as people do.`;
    return `{"name":"tool-${at}","description":"${description}","inputSchema":${SCHEMA}}`;
  });
  return `{${META},"tools":[${entries.join()}]}`;
}
const event = (what: string, id: string, params = ""): string =>
  `data: {"jsonrpc":"2.0","method":"notifications/${what}","params":{${params}"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}}}\n\n`;

/** A server of upstreams with that many tools each; `POST /changed?PATH` changes a tool's description and tells that upstream's listeners. */
export function createManyUpstreams(tools: number): Server {
  const upstreams = new ManyUpstreams(tools);
  return createServer((request, response) => upstreams.take(request, response));
}
