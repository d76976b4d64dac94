import { GatewayError } from "@cortex-os/mcp-core";
import { errnoOf } from "@cortex-os/mcp-registry";
import { hostGateway, type HostOptions, type ServedGateway } from "../serve/host-gateway.js";

/** {@link hostGateway} on the configured port or, when that is taken, says so and takes a free one. */
export async function hostOnAnyPort(options: HostOptions, write: (line: string) => void): Promise<ServedGateway> {
  try {
    return await hostGateway(options);
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    const { config } = options;
    write(`Port ${config.port} is taken by another program: taking a free one.`);
    return hostGateway({ ...options, config: { ...config, port: 0 } });
  }
}

const isPortTaken = (error: unknown): boolean => GatewayError.is(error) && errnoOf(error.cause) === "EADDRINUSE";
