/** What the example says once it is up: where it is, how to try it, and how a client gets there. `sample` is a call that works. */
export function announcement(url: string, sample: string | undefined): readonly string[] {
  const snippet = { mcpServers: { cortex: { type: "http", url } } };
  return [
    "",
    `cortex-mcp is ready at ${url}`,
    "",
    "Try it in a second terminal:",
    "  npx -y pnpm cortex-mcp tools",
    ...(sample === undefined ? [] : [`  npx -y pnpm cortex-mcp call ${sample}`]),
    "",
    "Give it to a client:",
    `  ${JSON.stringify(snippet)}`,
    `  claude mcp add --transport http cortex ${url}`,
    "",
    "Ctrl-C stops it.",
  ];
}
