import type { Clock, Logger, Monotonic, Timers } from "@cortex-os/mcp-core";
import type { KeyRing } from "@cortex-os/protocol";
import type { Dispatcher } from "undici";
import { ConnectorManifestError, type ManifestRule } from "../connector-manifest-error.js";
import { DEFAULT_FETCH_MS, type FetchLike } from "../fetch-like.js";
import type { MapValidators } from "../map-validators.js";
import { networkFailure } from "../network-failure.js";
import { loadConnectorServiceMap, type LoadedServiceMap } from "../service-map.js";
import { withinDeadline } from "../within-deadline.js";
import type { FetchedOutcome, MapRecords } from "./map-records.js";
import { RefreshCircuit } from "./refresh-circuit.js";

/** How one attempt to get a newer map ended. `refused`: something came and is not used; `unreachable`: no map came. */
export type FetchOutcome = FetchedOutcome | "refused" | "unreachable";

/** What {@link MapAttempts} asks, and through which ports. */
export interface MapAttemptsOptions {
  readonly serviceMapUrl: string;
  readonly apiKey?: string | undefined;
  readonly fetchImpl?: FetchLike | undefined;
  /** Its owner closes it. */
  readonly agent?: Dispatcher | undefined;
  /** See `loadConnectorServiceMap`. */
  readonly timeoutMs?: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  /** Hears of each attempt that asked the publisher, and how long it took. */
  readonly onFetch?: ((outcome: FetchOutcome, seconds: number) => void) | undefined;
}

/** No map came at all, so there was nothing to refuse. */
const UNREACHABLE = new Set<ManifestRule>(["request", "http-status", "redirect", "timeout", "network", "aborted"]);

/** What was sent or confirmed must not be used, whatever name it goes by. */
const OUT_OF_TIME = new Set<ManifestRule>(["older", "conflict", "expired"]);

/** A loader that takes this many times its time has broken its word. */
const LOADER_GRACE = 2;

/** Asks the publisher, unless it failed too often of late, and keeps count. That only one attempt runs at a time is the caller's care. */
export class MapAttempts {
  readonly circuit: RefreshCircuit;
  readonly #options: MapAttemptsOptions;
  readonly #records: MapRecords;
  readonly #validators: MapValidators;
  #lastError: ConnectorManifestError | undefined;
  #lastAttemptAtMs: number | undefined;
  #lastSuccessAtMs: number | undefined;

  constructor(options: MapAttemptsOptions, records: MapRecords, validators: MapValidators) {
    this.circuit = new RefreshCircuit(options.monotonic);
    this.#options = options;
    this.#records = records;
    this.#validators = validators;
  }

  /** Why the last attempt failed, if it did. */
  get lastError(): ConnectorManifestError | undefined {
    return this.#lastError;
  }

  /** Milliseconds since the epoch. */
  get lastAttemptAtMs(): number | undefined {
    return this.#lastAttemptAtMs;
  }

  /** Milliseconds since the epoch. */
  get lastSuccessAtMs(): number | undefined {
    return this.#lastSuccessAtMs;
  }

  /**
   * One attempt. The keys are looked at first, also when the publisher is not asked: a key that was removed must not count any longer.
   *
   * @param signal ends it: nothing is counted or reported then
   * @param insists whether a person wants it now, though the circuit is open
   * @throws ConnectorManifestError when no good map came
   */
  async run(signal: AbortSignal, insists: () => boolean): Promise<void> {
    await this.#records.load();
    const { clock, monotonic, onFetch } = this.#options;
    let startedMs: number | undefined;
    const report = (outcome: FetchOutcome): void => {
      if (startedMs !== undefined) onFetch?.(outcome, (monotonic.elapsedMs() - startedMs) / 1_000);
    };
    try {
      const keys = await this.#records.keysOfNow();
      signal.throwIfAborted();
      if (this.circuit.state === "open" && !insists()) throw this.#circuitOpen();
      this.#lastAttemptAtMs = clock.now();
      this.#forgetOverdue();
      startedMs = monotonic.elapsedMs();
      const loaded = await this.#load(keys, signal);
      signal.throwIfAborted();
      const outcome = await this.#records.take(loaded);
      signal.throwIfAborted();
      this.circuit.succeeded();
      this.#lastSuccessAtMs = clock.now();
      this.#lastError = undefined;
      report(outcome);
    } catch (thrown) {
      if (signal.aborted) throw this.#error("aborted", "is not followed any more");
      const error = thrown instanceof ConnectorManifestError ? thrown : this.#unexpected(thrown);
      if (error.rule === "circuit-open") throw error;
      this.circuit.failed();
      this.#lastError = error;
      // An older map that came under the ETag of the newest would be confirmed by 304 for ever: ask for the whole map next time.
      if (OUT_OF_TIME.has(error.rule)) this.#validators.forget(this.#options);
      report(UNREACHABLE.has(error.rule) ? "unreachable" : "refused");
      throw error;
    }
  }

  /**
   * By the end of its time to live a map is to be signed anew. A publisher whose `ETag` names the connectors and not the signing would confirm the old one
   * for ever, up to its bound: it is asked for the whole map.
   */
  #forgetOverdue(): void {
    const remembered = this.#validators.recall(this.#options);
    if (remembered !== undefined && this.#records.shelf.isOverdue(remembered.map))
      this.#validators.forget(this.#options);
  }

  async #load(keys: KeyRing, signal: AbortSignal): Promise<LoadedServiceMap> {
    const { serviceMapUrl, apiKey, fetchImpl, agent, timeoutMs, clock, timers, logger } = this.#options;
    // The loader ends by itself, in time and on the signal. One that was put in its place may not, and must hold up neither a stop nor all later attempts.
    const deadline = {
      timers,
      timeoutMs: LOADER_GRACE * (timeoutMs ?? DEFAULT_FETCH_MS),
      signal,
      onTimeout: () => this.#error("timeout", "did not come to an end"),
      onAbort: () => this.#error("aborted", "is not followed any more"),
    };
    const loaded: unknown = await withinDeadline(deadline, async () =>
      loadConnectorServiceMap({
        ...{ serviceMapUrl, apiKey, keys, fetchImpl, agent, timeoutMs, clock, timers, logger, signal },
        validators: this.#validators,
      }),
    );
    if (!isLoaded(loaded)) throw this.#error("no-map", "was not what the loader gave");
    return loaded;
  }

  #circuitOpen(): ConnectorManifestError {
    const seconds = Math.ceil(this.circuit.retryInMs / 1_000);
    const last = this.#lastError === undefined ? "" : `; the last one: ${this.#lastError.reason}`;
    const reason = `is not asked for during the next ${seconds} s, after ${this.circuit.failures} failures in a row${last}`;
    return this.#error("circuit-open", reason);
  }

  /** Our own loader throws nothing else than errors of its own. */
  #unexpected(cause: unknown): ConnectorManifestError {
    const { serviceMapUrl: url, apiKey = "" } = this.#options;
    const detail = URL.canParse(url) ? networkFailure(cause, url, [apiKey]).detail : undefined;
    return new ConnectorManifestError("no-map", "cannot be had", { url, cause, detail });
  }

  #error(rule: ManifestRule, reason: string): ConnectorManifestError {
    return new ConnectorManifestError(rule, reason, { url: this.#options.serviceMapUrl });
  }
}

/** Our own loader gives nothing else; one that a test put in its place may. */
function isLoaded(value: unknown): value is LoadedServiceMap {
  if (typeof value !== "object" || value === null || !("payload" in value && "expiresAtMs" in value)) return false;
  const { payload, expiresAtMs } = value;
  if (typeof payload !== "object" || payload === null || !("connectors" in payload)) return false;
  return Array.isArray(payload.connectors) && typeof expiresAtMs === "number" && !Number.isNaN(expiresAtMs);
}
