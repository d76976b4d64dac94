import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { RemoteProxy } from "./remote-proxy.js";
import type { CallToolOptions, RemoteProxyOptions } from "./remote-proxy-options.js";

/** The tools of one upstream and nothing else: a {@link RemoteProxy} for those who want no more (R8). */
export class RemoteToolProxy {
  readonly #proxy: RemoteProxy;

  constructor(options: RemoteProxyOptions) {
    this.#proxy = new RemoteProxy(options);
  }

  /** @throws GatewayError of the first attempt; it goes on trying in the background */
  connect(): Promise<void> {
    return this.#proxy.connect();
  }

  /** @throws GatewayError as `RemoteProxy.list` */
  async getTools(): Promise<readonly JsonObject[]> {
    const { entries } = await this.#proxy.list("tools");
    return entries;
  }

  /** @throws GatewayError as `RemoteProxy.callTool` */
  callTool(name: string, args: JsonObject, options: CallToolOptions = {}): Promise<JsonObject> {
    return this.#proxy.callTool(name, args, options);
  }

  /** Releases everything; idempotent. */
  disconnect(): Promise<void> {
    return this.#proxy.dispose();
  }
}
