import type { ConnectorOrigin, ConnectorStatus } from "@cortex-os/mcp-core";
import { Counter, Gauge, type Registry } from "prom-client";
import { CALL_OUTCOMES, type CallOutcome, type EndedRequest } from "../gateway/metered-sink.js";
import { createConnectorAvailabilityGauge, setConnectorAvailabilityGauge } from "./availability-gauge.js";
import { DurationHistogram, type DurationSeries } from "./duration-histogram.js";
import { MEASURED_METHODS } from "./measured-method.js";
import { OutcomeTally } from "./outcome-tally.js";

/** Buckets in seconds, from a call that stays on this machine to one that works for minutes. */
const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300];

const SOURCES = ["registry", "map"] as const satisfies readonly ConnectorOrigin[];
const STATES = ["up", "down", "connecting", "disabled"] as const satisfies readonly ConnectorStatus["state"][];

/** What can be seen of each connector (R15). Its series go when it goes. */
export interface ConnectorMetrics {
  /** These are the living connectors, and no others. */
  connectors(statuses: readonly ConnectorStatus[]): void;
  /** A forwarded request ended. One that ends after its connector left is not counted: it would bring the series back for good. */
  called(connector: string, request: EndedRequest): void;
  /** How long ago each connector's lists were had in full, in seconds; one that is absent never had them. */
  listAges(ages: ReadonlyMap<string, number>): void;
}

/** A living connector, and what its calls came to. */
interface Known {
  readonly state: ConnectorStatus["state"];
  readonly outcomes: OutcomeTally;
  readonly durations: Partial<Record<CallOutcome, DurationSeries>>;
}

/** Makes them in `registry`. */
export function createConnectorMetrics(registry: Registry): ConnectorMetrics {
  const registers = [registry];
  const up = createConnectorAvailabilityGauge(registry);
  const ofEach = (name: string, help: string): Gauge<"connector"> =>
    new Gauge({ name: `brainwav_mcp_connector_${name}`, help, labelNames: ["connector"] as const, registers });
  const enabled = ofEach("enabled", "1 while the connector is meant to be up, 0 while it is disabled");
  const listAge = ofEach(
    "list_age_seconds",
    "Since the connector's lists were last had in full; one that announces changes is asked only when it does",
  );
  const failures = new Counter({
    name: "brainwav_mcp_connector_failures_total",
    help: "How often the connector went down, or could not come up at first",
    labelNames: ["connector"] as const,
    registers,
  });
  const counts = new Gauge({
    name: "brainwav_mcp_connectors",
    help: "Connectors there are, by where they come from and how they are",
    labelNames: ["source", "state"] as const,
    registers,
  });
  const calls = new Counter({
    name: "brainwav_mcp_calls_total",
    help: "Requests that were forwarded to the connector and ended",
    labelNames: ["connector", "method", "outcome"] as const,
    registers,
    collect() {
      for (const [connector, { outcomes }] of known) {
        outcomes.drain((method, outcome, count) => {
          this.inc({ connector, method, outcome }, count);
        });
      }
    },
  });
  const durations = new DurationHistogram({
    name: "brainwav_mcp_call_duration_seconds",
    help: "How long a forwarded call took, from its arrival to the last byte of its answer",
    labelNames: ["connector", "outcome"] as const,
    buckets: CALL_BUCKETS,
    registry,
  });
  let known: ReadonlyMap<string, Known> = new Map();
  const forget = (connector: string, ended: Known): void => {
    for (const metric of [up, enabled, listAge, failures]) metric.remove({ connector });
    for (const outcome of CALL_OUTCOMES) {
      const series = ended.durations[outcome];
      if (series !== undefined) durations.end(series);
      for (const method of MEASURED_METHODS) calls.remove({ connector, method, outcome });
    }
  };
  const count = (statuses: readonly ConnectorStatus[]): void => {
    const tally = new Map(SOURCES.map((source) => [source, new Map<ConnectorStatus["state"], number>()]));
    for (const { source, state } of statuses) {
      const ofSource = tally.get(source);
      ofSource?.set(state, (ofSource.get(state) ?? 0) + 1);
    }
    for (const [source, states] of tally)
      for (const state of STATES) counts.set({ source, state }, states.get(state) ?? 0);
  };
  count([]);
  return {
    connectors: (statuses) => {
      const living = new Map<string, Known>();
      for (const { key: connector, state } of statuses) {
        const before = known.get(connector);
        // A thousand connectors come up one after the other: what stayed as it was costs next to nothing.
        if (before?.state === state) {
          living.set(connector, before);
          continue;
        }
        setConnectorAvailabilityGauge(connector, state === "up", up);
        enabled.set({ connector }, state === "disabled" ? 0 : 1);
        failures.inc({ connector }, state === "down" ? 1 : 0);
        living.set(connector, { ...(before ?? { outcomes: new OutcomeTally(), durations: {} }), state });
      }
      for (const [connector, ended] of known) if (!living.has(connector)) forget(connector, ended);
      known = living;
      count(statuses);
    },
    called: (connector, { method, outcome, seconds }) => {
      const living = known.get(connector);
      if (living === undefined) return;
      living.outcomes.count(method, outcome);
      (living.durations[outcome] ??= durations.begin({ connector, outcome })).observe(seconds);
    },
    listAges: (ages) => {
      listAge.reset();
      for (const [connector, seconds] of ages) listAge.set({ connector }, seconds);
    },
  };
}
