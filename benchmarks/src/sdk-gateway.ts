import { createServer, type Server as HttpServer } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { NodeStreamableHTTPServerTransport, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import type { Era } from "@cortex-os/mcp-core/wire";

/**
 * The reference: a gateway as one would write it with the official SDK, its server in front and its client behind. It passes `tools/list` and `tools/call` on, with progress,
 * for one upstream, and does nothing else; everything is validated as the SDK is shipped.
 * @param upstream where the upstream serves, in the same era
 * @returns a server that does not listen yet
 */
export async function sdkGateway(era: Era, upstream: URL): Promise<HttpServer> {
  const client = new Client(
    { name: "sdk-gateway", version: "1.0.0" },
    { versionNegotiation: { mode: era === "modern" ? "auto" : "legacy" } },
  );
  await client.connect(new StreamableHTTPClientTransport(upstream));
  const newServer = (): Server => gatewayServer(client);
  if (era === "legacy") return sessionServer(newServer);
  const handle = toNodeHandler(createMcpHandler(newServer, { legacy: "reject" }));
  return createServer(
    handling(async (request, response) => {
      // The adapter's types know no request without a method.
      const { method = "POST", url = "/" } = request;
      await handle(Object.assign(request, { method, url }), response);
    }),
  );
}

function gatewayServer(client: Client): Server {
  const server = new Server({ name: "sdk-gateway", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", async ({ params }) => client.listTools(params));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    const { name, arguments: args } = params;
    return client.callTool(
      { name, ...(args === undefined ? {} : { arguments: args }) },
      progressToken === undefined
        ? {}
        : {
            onprogress: (progress) =>
              void context.mcpReq.notify({
                method: "notifications/progress",
                params: { ...progress, progressToken },
              }),
          },
    );
  });
  return server;
}

/** One transport and one server for each session, as the SDK's examples do. */
function sessionServer(newServer: () => Server): HttpServer {
  const transports = new Map<string, NodeStreamableHTTPServerTransport>();
  return createServer(
    handling(async (request, response) => {
      const session = request.headers["mcp-session-id"];
      const known = typeof session === "string" ? transports.get(session) : undefined;
      if (known !== undefined) {
        await known.handleRequest(request, response);
        return;
      }
      const transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id) => void transports.set(id, transport),
      });
      await newServer().connect(transport);
      await transport.handleRequest(request, response);
    }),
  );
}

/** Whatever fails ends the request. */
function handling(
  handle: (...exchange: Parameters<NodeStreamableHTTPServerTransport["handleRequest"]>) => Promise<void>,
): Parameters<typeof createServer>[1] {
  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  };
}
