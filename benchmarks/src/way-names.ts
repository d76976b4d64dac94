/** The names of the ways on the main road. */
export const ROAD = { direct: "direct", bareProxy: "bare proxy", gateway: "cortex-mcp" } as const;
