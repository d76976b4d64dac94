import { HEADER, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Headers } from "../caller.js";
import { structuredResult, type Tool } from "./tool.js";

/** `Mcp-Param-*` headers with their values, undecoded. */
function paramHeaders(headers: Headers): JsonObject {
  const found: Record<string, string> = {};
  for (const name of Object.keys(headers).toSorted()) {
    const value = headers[name];
    if (name.startsWith(HEADER.paramPrefix) && typeof value === "string") found[name] = value;
  }
  return found;
}

/**
 * Tells what arrived here, so that a test in front of a gateway sees what the gateway sent. Of headers only the names,
 * but for `Mcp-Param-*`: a credential never gets into a result.
 */
export const whoami: Tool = {
  definition: {
    name: "whoami",
    title: "Who am I",
    description: "Tells era, revision, client, session, _meta and Mcp-Param headers of this very request.",
    inputSchema: {
      type: "object",
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        placement: {
          type: "object",
          properties: {
            shard: { type: "integer", "x-mcp-header": "Shard" },
            spare: { type: "boolean", "x-mcp-header": "Spare" },
          },
        },
      },
    },
    outputSchema: { type: "object", required: ["era", "protocolVersion", "session", "meta"] },
    annotations: { readOnlyHint: true },
  },
  call(args, { caller, meta }) {
    return structuredResult({
      era: caller.era,
      protocolVersion: caller.protocolVersion,
      clientInfo: caller.clientInfo ?? null,
      clientCapabilities: caller.clientCapabilities,
      session: caller.session,
      meta,
      arguments: args,
      paramHeaders: paramHeaders(caller.headers),
      headerNames: Object.keys(caller.headers).toSorted(),
    });
  },
};
