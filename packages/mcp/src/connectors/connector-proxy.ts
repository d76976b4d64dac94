import type { Clock, Logger } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Dispatcher } from "undici";

/** The tool-level way to one upstream, as the plan has it (R6): `RemoteToolProxy` is one, and whatever a caller's factory makes. */
export interface ConnectorProxy {
  /** Resolves when it is up. Called again after it failed, and after it was up and said that it is not any more. */
  connect(): unknown;
  /** The tool definitions, or a promise of them. */
  getTools(): unknown;
  /** The `CallToolResult`, or a promise of it. @param options only there when the call can be cancelled */
  callTool(name: string, args: JsonObject, options?: { readonly signal?: AbortSignal }): unknown;
  disconnect?(): unknown;
}

/** What a {@link CreateConnectorProxy} gets; all that `RemoteToolProxy` needs. */
export interface ConnectorProxyOptions {
  readonly connectorId: string;
  readonly url: string;
  /** Sent with every request, our credential among them: secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Shared by all connectors; its owner closes it. */
  readonly agent: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For a proxy that learns of it by itself that it is up or down; `reason` is for anybody, `detail` for operators only. */
  readonly onAvailability: (up: boolean, reason?: string, detail?: string) => void;
  /** For a proxy that learns of changes of the tools. */
  readonly onToolsChanged: () => void;
}

/** Makes the proxy of one connector of the service map. */
export type CreateConnectorProxy = (options: ConnectorProxyOptions) => ConnectorProxy;
