import type { SurfaceGateway } from "../support/surface-gateway.js";
import { overHttp } from "./http-wire.js";
import type { MatrixClient } from "./matrix-client.js";
import type { Members } from "./message.js";
import { RawClient } from "./raw-client.js";
import { overSse } from "./sse-wire.js";
import { overStdio } from "./stdio-wire.js";
import type { OpenWire } from "./wire.js";

/** A legacy client without an SDK: no SDK of today begins with an older revision than 2025-11-25. */
export async function rawLegacy(name: string, revision: string, wire: OpenWire): Promise<MatrixClient> {
  const raw = await RawClient.connect(revision, wire, name);
  return {
    raw,
    heard: raw.heard,
    server: { name: raw.server["name"], capabilities: raw.capabilities },
    request: async (method, params, options) => raw.request(method, params, options),
    watch: async (uri) => {
      await raw.request("resources/subscribe", { uri });
      return async () => void (await raw.request("resources/unsubscribe", { uri }));
    },
    callLogging: async (tool: string, args: Members) => {
      await raw.request("logging/setLevel", { level: "info" });
      await raw.request("tools/call", { name: tool, arguments: args });
    },
    close: async () => raw.close(),
  };
}

/** Each transport's wire to a gateway. */
export const WIRES = {
  HTTP: ({ url }: SurfaceGateway, revision: string): OpenWire => overHttp(url, revision),
  stdio: (gateway: SurfaceGateway): OpenWire => overStdio(gateway),
  "HTTP+SSE": ({ url }: SurfaceGateway): OpenWire => overSse(url),
} as const;
