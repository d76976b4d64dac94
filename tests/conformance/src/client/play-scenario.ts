import type { ListedTool, ScenarioClient } from "./scenario-client.js";

/** What the suite tells a client about a scenario beside its name. */
export interface ScenarioContext {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
}

type Play = (client: ScenarioClient, tools: readonly ListedTool[], context: ScenarioContext) => Promise<void>;

/** One that fails does not keep the others from being called. */
const callAll: Play = async (client, tools) => {
  for (const { name } of tools) await client.callTool(name, {}).catch(() => {});
};

/** What the scenarios ask for that want more than a list of tools and a call of the first one. */
const PLAYS: Readonly<Record<string, Play>> = {
  initialize: async () => {},
  "json-schema-ref-no-deref": async () => {},
  "request-metadata": async () => {},
  "http-invalid-tool-headers": callAll,
  "sep-2322-client-request-state": callAll,
  "json-schema-2020-12-preservation": async (client, tools) => {
    const focal = tools.find(({ name }) => name === "json_schema_2020_12_tool");
    await client.callTool("json_schema_echo", { schema: focal?.inputSchema });
  },
  "http-standard-headers": async (client, tools, context) => {
    await callAll(client, tools, context);
    await client.lookAround();
  },
  "http-custom-headers": async (client, _, { toolCalls = [] }) => {
    for (const { name, arguments: args } of toolCalls) await client.callTool(name, args);
  },
};

const callFirst: Play = async (client, [first]) => {
  if (first !== undefined) await client.callTool(first.name, { a: 2, b: 3 });
};

/** Does what a scenario wants of a client. */
export async function playScenario(scenario: string, client: ScenarioClient, context: ScenarioContext): Promise<void> {
  const tools = await client.listTools();
  await (PLAYS[scenario] ?? callFirst)(client, tools, context);
}
