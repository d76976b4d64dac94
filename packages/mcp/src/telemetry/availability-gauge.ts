import { Gauge, register, type Registry } from "prom-client";

const NAME = "brainwav_mcp_connector_proxy_up";

/** The gauge that dashboards watch: 1 while a connector is up, 0 while it is not. */
export type ConnectorAvailabilityGauge = Gauge<"connector">;

/** Makes {@link ConnectorAvailabilityGauge} in `registry`. */
export const createConnectorAvailabilityGauge = (registry: Registry): ConnectorAvailabilityGauge =>
  new Gauge({
    name: NAME,
    help: "1 while the connector is up, 0 while it is not",
    labelNames: ["connector"] as const,
    registers: [registry],
  });

/**
 * The gauge in prom-client's global register, made on first use: for code that has no registry of its own (R15).
 * @throws Error when something else has that name there
 */
export function globalAvailabilityGauge(): ConnectorAvailabilityGauge {
  // Looked up each time: a program may clear its register.
  const known = register.getSingleMetric(NAME);
  return known instanceof Gauge ? known : createConnectorAvailabilityGauge(register);
}

/**
 * Sets one connector's availability.
 * @param gauge @default the one in prom-client's global register
 */
export function setConnectorAvailabilityGauge(
  connector: string,
  up: boolean,
  gauge: ConnectorAvailabilityGauge = globalAvailabilityGauge(),
): void {
  gauge.set({ connector }, up ? 1 : 0);
}
