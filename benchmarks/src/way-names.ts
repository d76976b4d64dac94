/** The names of the ways that are always measured, and of nginx. */
export const ROAD = {
  direct: "direct",
  bareProxy: "bare proxy",
  nginx: "nginx",
  sdkGateway: "SDK-built gateway",
  gateway: "cortex-mcp",
} as const;

/** The names of the ways to a list. */
export const LIST_ROAD = { file: "static file", gateway: "cortex-mcp" } as const;
