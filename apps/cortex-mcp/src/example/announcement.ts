/** What the example has to show. */
export interface Shown {
  /** A call that works. */
  readonly sample?: string | undefined;
  /** The manifest of the service map that the example publishes, as somebody would type it. */
  readonly manifest?: string | undefined;
}

/** What the example says once it is up: where it is, how to try it, and how a client gets there. */
export function announcement(url: string, { sample, manifest }: Shown): readonly string[] {
  const snippet = { mcpServers: { cortex: { type: "http", url } } };
  return [
    "",
    `cortex-mcp is ready at ${url}`,
    "",
    "Try it in a second terminal:",
    "  npx -y pnpm cortex-mcp tools",
    ...(sample === undefined ? [] : [`  npx -y pnpm cortex-mcp call ${sample}`]),
    ...(manifest === undefined ? [] : ["  npx -y pnpm cortex-mcp status", "", ...aboutMap(manifest)]),
    "",
    "Give it to a client:",
    `  ${JSON.stringify(snippet)}`,
    `  claude mcp add --transport http cortex ${url}`,
    "",
    "Ctrl-C stops it.",
  ];
}

const aboutMap = (manifest: string): readonly string[] => [
  "What says map comes from a signed service map that this example publishes; status tells how fresh it is.",
  `Edit ${manifest}, and within ten seconds the gateway follows.`,
];
