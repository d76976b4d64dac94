/** The names of the ways on the main road. */
export const ROAD = { direct: "direct", bareProxy: "bare proxy", gateway: "cortex-mcp" } as const;

/** The names of the ways to a list. */
export const LIST_ROAD = { file: "static file", gateway: "cortex-mcp" } as const;
