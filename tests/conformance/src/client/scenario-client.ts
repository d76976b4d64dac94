/** A tool as it is listed. */
export interface ListedTool {
  readonly name: string;
  readonly inputSchema: unknown;
}

/** As much of a correct MCP client as scenarios need. */
export interface ScenarioClient {
  readonly listTools: () => Promise<readonly ListedTool[]>;
  readonly callTool: (name: string, args: Record<string, unknown>) => Promise<void>;
  /** Lists resources and prompts, reads and gets the first of each. */
  readonly lookAround: () => Promise<void>;
  readonly close: () => Promise<void>;
}
