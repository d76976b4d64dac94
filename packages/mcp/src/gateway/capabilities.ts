/**
 * What the gateway can do for a client, in `initialize` and `server/discover` alike. It does not depend on which connectors there are or are up: what a client is
 * told once must hold for as long as it remembers it (2026-07-28, versioning), and lists may well be empty.
 */
export const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
} as const;
