import { GatewayError } from "@cortex-os/mcp-core";
import { errnoOf } from "@cortex-os/mcp-registry";
import { hostGateway, type HostedGateway, type HostOptions } from "../serve/host-gateway.js";

/** {@link HostOptions} whose sources are made anew for each attempt. */
export interface AnyPortOptions extends Omit<HostOptions, "sources"> {
  readonly sources: () => HostOptions["sources"];
  readonly write: (line: string) => void;
}

/** {@link hostGateway} on the configured port or, when that is taken, says so and takes a free one. */
export async function hostOnAnyPort({ sources, write, ...options }: AnyPortOptions): Promise<HostedGateway> {
  try {
    return await hostGateway({ ...options, sources: sources() });
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    const { config } = options;
    write(`Port ${config.port} is taken by another program: taking a free one.`);
    return hostGateway({ ...options, sources: sources(), config: { ...config, port: 0 } });
  }
}

const isPortTaken = (error: unknown): boolean => GatewayError.is(error) && errnoOf(error.cause) === "EADDRINUSE";
