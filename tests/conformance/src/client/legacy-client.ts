import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { ScenarioClient } from "./scenario-client.js";

/** The SDK's client of the legacy era. Asked for something, it accepts what is suggested. */
export async function legacyClient(url: string): Promise<ScenarioClient> {
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
  );
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: {} }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, args) => {
      await client.callTool({ name, arguments: args });
    },
    lookAround: async () => {},
    close: () => client.close(),
  };
}
