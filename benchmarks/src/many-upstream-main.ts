import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { classifyMessage } from "@cortex-os/mcp-core/wire";

/**
 * One process that is many upstreams of the modern era, told apart by their paths, as small and as fast as can be: what is measured is the gateway.
 * Usage: node many-upstream-main.js TOOLS. Prints the URL under which the upstreams are; `POST /changed?PATH` changes a tool's description and tells that upstream's listeners.
 */
const tools = Number(process.argv[2]);
if (!(tools > 0)) throw new Error("how many tools has each upstream?");

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

const editions = new Map<string, number>();
const streams = new Map<string, Map<ServerResponse, string>>();

const listed = (edition: number): string => {
  const entries = Array.from({ length: tools }, (_, at) => {
    const description = `Tool ${at} of many, in edition ${at === 0 ? edition : 0}, described as briefly as people do.`;
    return `{"name":"tool-${at}","description":"${description}","inputSchema":${SCHEMA}}`;
  });
  return `{${META},"tools":[${entries.join()}]}`;
};
// Nearly every upstream is in its first edition.
const FIRST = listed(0);

function listen(path: string, id: string, response: ServerResponse): void {
  const own = streams.get(path) ?? new Map<ServerResponse, string>();
  streams.set(path, own);
  own.set(response, id);
  response.on("close", () => own.delete(response));
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(event("subscriptions/acknowledged", id, '"notifications":{"toolsListChanged":true},'));
}

const event = (what: string, id: string, params = ""): string =>
  `data: {"jsonrpc":"2.0","method":"notifications/${what}","params":{${params}"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}}}\n\n`;

function change(path: string): void {
  editions.set(path, (editions.get(path) ?? 0) + 1);
  for (const [response, id] of streams.get(path) ?? []) response.write(event("tools/list_changed", id));
}

function answer(path: string, body: string, response: ServerResponse): void {
  const classified = classifyMessage(JSON.parse(body));
  if (classified.kind !== "request") {
    response.writeHead(202).end();
    return;
  }
  const { id, method } = classified.message;
  const own = JSON.stringify(id);
  if (method === "subscriptions/listen") {
    listen(path, own, response);
    return;
  }
  const edition = editions.get(path) ?? 0;
  const results: Record<string, string> = {
    "server/discover": DISCOVERED,
    "tools/list": edition === 0 ? FIRST : listed(edition),
    "tools/call": CALLED,
  };
  const result = results[method];
  const text =
    result === undefined
      ? `{"jsonrpc":"2.0","id":${own},"error":{"code":-32601,"message":"no such method"}}`
      : `{"jsonrpc":"2.0","id":${own},"result":${result}}`;
  response.writeHead(result === undefined ? 404 : 200, { "content-type": "application/json" }).end(text);
}

const server = createServer((request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [path = "", changed] = (request.url ?? "/").split("?");
    if (path === "/changed" && changed !== undefined) {
      change(changed);
      response.writeHead(204).end();
    } else answer(path, Buffer.concat(chunks).toString(), response);
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) process.stdout.write(`http://127.0.0.1:${address.port}/\n`);
});
