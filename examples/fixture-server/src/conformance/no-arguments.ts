/** The schema of a tool that takes none. */
export const NO_ARGUMENTS = { type: "object", additionalProperties: false } as const;
