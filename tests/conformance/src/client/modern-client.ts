import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { ScenarioClient } from "./scenario-client.js";

/** The SDK's client of the modern era. Asked for something, it accepts. */
export async function modernClient(url: string): Promise<ScenarioClient> {
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: "auto" } },
  );
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { confirmed: true } }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, args) => {
      await client.callTool({ name, arguments: args });
    },
    lookAround: async () => {
      const { resources } = await client.listResources();
      const { prompts } = await client.listPrompts();
      for (const { uri } of resources.slice(0, 1)) await client.readResource({ uri });
      for (const { name } of prompts.slice(0, 1)) await client.getPrompt({ name });
    },
    close: () => client.close(),
  };
}
