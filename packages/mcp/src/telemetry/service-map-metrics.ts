import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ServiceMapStatus } from "../connectors/map/service-map-follower.js";

/** What became of one attempt to fetch the service map. */
export const MAP_FETCH_OUTCOMES = ["changed", "unchanged", "held", "refused", "unreachable"] as const;

/** One of {@link MAP_FETCH_OUTCOMES}. */
export type MapFetchOutcome = (typeof MAP_FETCH_OUTCOMES)[number];

/** What of a {@link ServiceMapStatus} is measured. */
export type MeasuredServiceMap = Pick<
  ServiceMapStatus,
  | "state"
  | "keyId"
  | "connectors"
  | "ageSeconds"
  | "expiresAt"
  | "staleUntil"
  | "nextRefreshAt"
  | "circuit"
  | "pinned"
  | "held"
>;

/** Buckets in seconds, from a publisher on this machine to one that takes longer than it may. */
const FETCH_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What can be seen of the service map (R15). */
export interface ServiceMapMetrics {
  measured(status: MeasuredServiceMap): void;
  /** No service map is followed any more: what was said of it has no samples. */
  gone(): void;
  fetched(outcome: MapFetchOutcome, seconds: number): void;
}

/** Makes them in `registry`. What is not known at present has no sample, rather than a wrong one. */
export function createServiceMapMetrics(registry: Registry): ServiceMapMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `brainwav_mcp_service_map_${name}`, help, registers });
  const age = gauge("age_seconds", "Since the service map in force was made, or since the one that became too old was");
  const expires = gauge(
    "expires_seconds",
    "When the service map in force turns stale, in seconds since the epoch; in the past while it is",
  );
  const staleUntil = gauge(
    "stale_until_seconds",
    "When the service map in force becomes too old to be served unless a newer one comes, in seconds since the epoch",
  );
  const stale = gauge("stale", "0 while the service map in force is fresh, 1 while it is stale, expired or missing");
  const connectors = gauge("connectors", "Connectors that the service map in force enables; 0 without one");
  const held = gauge("held", "1 while a service map waits to be accepted by a person");
  const pinned = gauge(
    "pinned",
    "1 while a person keeps one service map in force, so that no newer one takes its place",
  );
  const circuit = gauge(
    "circuit_open",
    "1 while the publisher is left alone because it failed too often, until an attempt succeeds",
  );
  const next = gauge(
    "next_refresh_seconds",
    "When the publisher is asked for the service map next, in seconds since the epoch",
  );
  const info = new Gauge({
    name: "brainwav_mcp_service_map_info",
    help: "1, with the key that signed the service map in force",
    labelNames: ["key_id"] as const,
    registers,
  });
  const fetches = new Counter({
    name: "brainwav_mcp_service_map_fetches_total",
    help: "Attempts to fetch the service map",
    labelNames: ["outcome"] as const,
    registers,
  });
  for (const outcome of MAP_FETCH_OUTCOMES) fetches.inc({ outcome }, 0);
  const duration = new Histogram({
    name: "brainwav_mcp_service_map_fetch_duration_seconds",
    help: "How long fetching and verifying the service map took",
    buckets: FETCH_BUCKETS,
    registers,
  });
  return {
    measured: (status) => {
      const inForce = status.state === "fresh" || status.state === "stale";
      set(age, status.ageSeconds);
      set(expires, secondsOf(status.expiresAt));
      set(staleUntil, secondsOf(status.staleUntil));
      set(next, secondsOf(status.nextRefreshAt));
      stale.set(status.state === "fresh" ? 0 : 1);
      connectors.set(inForce ? (status.connectors ?? 0) : 0);
      pinned.set(status.pinned === undefined ? 0 : 1);
      held.set(status.held === undefined ? 0 : 1);
      circuit.set(status.circuit === "closed" ? 0 : 1);
      info.reset();
      if (inForce) info.set({ key_id: status.keyId ?? "" }, 1);
    },
    gone: () => {
      for (const each of [age, expires, staleUntil, stale, connectors, held, pinned, circuit, next]) each.remove();
      info.reset();
    },
    fetched: (outcome, seconds) => {
      fetches.inc({ outcome });
      duration.observe(seconds);
    },
  };
}

function set(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

const secondsOf = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Date.parse(time) / 1_000;
