import {
  BRAND,
  LONGEST_DELAY_MS,
  systemClock,
  systemHoldingTimers,
  type Clock,
  type Logger,
  type Timers,
} from "@cortex-os/mcp-core";
import {
  KeyRing,
  MAX_SERVICE_MAP_BYTES,
  readServiceMap,
  type ServiceMapPayload,
  type VerifiedServiceMap,
} from "@cortex-os/protocol";
import type { Dispatcher } from "undici";
import { ConnectorManifestError, type ManifestRule } from "./connector-manifest-error.js";
import { DEFAULT_FETCH_MS, fetchOf, headerOf, statusOf, type FetchLike, type FetchLikeResponse } from "./fetch-like.js";
import { MapValidators, type RememberedMap } from "./map-validators.js";
import { networkFailure, shownText } from "./network-failure.js";
import { discard, readBounded } from "./read-bounded.js";
import { shownUrl } from "./shown-url.js";
import { withinDeadline } from "./within-deadline.js";

export { ConnectorManifestError, type ManifestRule } from "./connector-manifest-error.js";
export type { FetchLike, FetchLikeInit, FetchLikeResponse } from "./fetch-like.js";

/** Where a service map comes from, and how it is verified (R3). */
export interface ConnectorServiceMapOptions {
  /** An http or https URL. Logs and errors show its origin and path only. */
  readonly serviceMapUrl: string;
  /** Sent as a bearer token; empty is none. */
  readonly apiKey?: string | undefined;
  /** The HMAC key of the map's signature; this or {@link keys} there must be. */
  readonly signatureKey?: string | undefined;
  /** Several keys at once; wins over {@link signatureKey}. */
  readonly keys?: KeyRing | undefined;
  /** Used instead of any other `fetch`, and then `agent` is not. */
  readonly fetchImpl?: FetchLike | undefined;
  /** From the request to the end of the body, in milliseconds. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** The connections to use; its owner closes it. @default those of the global `fetch` */
  readonly agent?: Dispatcher | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
  /** @default Node's; they hold the process open as long as the call lasts */
  readonly timers?: Timers | undefined;
  /** Calls the request off. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of what is odd about a map that is good. @default nobody */
  readonly logger?: Pick<Logger, "warn"> | undefined;
  /** Where the last map and its `ETag` are remembered. @default one for the process */
  readonly validators?: MapValidators | undefined;
}

/** A verified service map. */
export interface LoadedServiceMap {
  readonly payload: ServiceMapPayload;
  /** When it stops being fresh, in milliseconds since the epoch: `generatedAt` + TTL of a map that was sent, now + TTL of one that did not change. */
  readonly expiresAtMs: number;
  /** What came, for whoever keeps it. A loader that a test puts in the place of this one need not give it. */
  readonly received?: {
    /** The map as it came, also when it came earlier. */
    readonly body: string;
    readonly etag?: string;
    readonly map: VerifiedServiceMap;
    /** Whether the publisher said that the map is the one we have. */
    readonly notModified: boolean;
  };
}

const processValidators = new MapValidators();

/**
 * Fetches the service map and verifies it: one attempt, no redirect, at most 1 MiB, and nothing of it is used before its signature is good.
 *
 * Whether it is older than the one accepted last is for the caller to say, who knows that one.
 * @throws ConnectorManifestError for every failure; nothing is left open then
 */
export async function loadConnectorServiceMap(options: ConnectorServiceMapOptions): Promise<LoadedServiceMap> {
  return new MapRequest(options).load();
}

class MapRequest {
  readonly #options: ConnectorServiceMapOptions;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #validators: MapValidators;
  readonly #keys: KeyRing;

  /** @throws ConnectorManifestError `request` when it cannot be sent as configured */
  constructor(options: ConnectorServiceMapOptions) {
    this.#options = options;
    this.#url = options.serviceMapUrl;
    this.#clock = options.clock ?? systemClock;
    this.#validators = options.validators ?? processValidators;
    const problem = problemOf(options);
    if (problem !== undefined) throw this.#error("request", problem);
    this.#keys = options.keys ?? KeyRing.fromSecret(options.signatureKey ?? "");
  }

  async load(): Promise<LoadedServiceMap> {
    const { timers = systemHoldingTimers, timeoutMs = DEFAULT_FETCH_MS, signal } = this.#options;
    return withinDeadline(
      {
        timers,
        timeoutMs: Math.min(timeoutMs, LONGEST_DELAY_MS),
        signal,
        onTimeout: () => this.#error("timeout", `no whole answer within ${timeoutMs} ms`),
        onAbort: () => this.#error("aborted", "the request was called off"),
      },
      async (inTime) => {
        try {
          return await this.#exchange(inTime);
        } catch (error) {
          if (error instanceof ConnectorManifestError) throw error;
          const { rule, reason, detail } = networkFailure(error, this.#url, this.#secrets);
          throw this.#error(rule, reason, detail);
        }
      },
    );
  }

  async #exchange(signal: AbortSignal): Promise<LoadedServiceMap> {
    const { fetchImpl, agent, apiKey } = this.#options;
    const remembered = this.#remembered();
    const response = await fetchOf(fetchImpl, agent)(this.#url, {
      headers: {
        Accept: "application/json",
        ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}),
        "Cache-Control": "no-cache",
        ...(remembered === undefined ? {} : { "If-None-Match": remembered.etag }),
      },
      redirect: "manual",
      signal,
    });
    if (signal.aborted) discard(response);
    signal.throwIfAborted();
    if (statusOf(response) === 304) return this.#renewed(response, remembered);
    const unfit = this.#unfit(response);
    if (unfit !== undefined) {
      discard(response);
      throw unfit;
    }
    const body = await readBounded(response, MAX_SERVICE_MAP_BYTES, signal);
    if (body === undefined) throw this.#tooLarge();
    return this.#accepted(response, body);
  }

  /** What is remembered, if it is good by the keys of now: what they do not vouch for must not be renewed. */
  #remembered(): RememberedMap | undefined {
    const known = this.#validators.recall(this.#options);
    const verifiedBy = this.#keys.fingerprint;
    if (known === undefined || known.verifiedBy === verifiedBy) return known;
    const reading = readServiceMap(known.body, { keys: this.#keys, nowMs: this.#clock.now(), allowExpired: true });
    if (reading.ok) return { ...known, map: reading.map, verifiedBy };
    this.#validators.forget(this.#options);
    return undefined;
  }

  #renewed(response: FetchLikeResponse, remembered: RememberedMap | undefined): LoadedServiceMap {
    if (remembered === undefined) throw this.#error("not-modified", "answered 304 though no map was named to it");
    const { body, map, etag } = remembered;
    if (isOther(etagOf(response), etag)) {
      // The next request must ask for the whole map.
      this.#validators.forget(this.#options);
      throw this.#error("not-modified", "answered 304 about another map than the one that was named to it");
    }
    this.#validators.remember(this.#options, remembered);
    const expiresAtMs = this.#clock.now() + map.payload.ttlSeconds * 1_000;
    return { payload: map.payload, expiresAtMs, received: { body, etag, map, notModified: true } };
  }

  #unfit(response: FetchLikeResponse): ConnectorManifestError | undefined {
    const status = statusOf(response);
    if (response.redirected === true || response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
      return this.#error("redirect", "redirects elsewhere, which is not followed");
    }
    if (status !== 200) return this.#error("http-status", `answered HTTP ${status}`);
    return Number(headerOf(response, "content-length")) > MAX_SERVICE_MAP_BYTES ? this.#tooLarge() : undefined;
  }

  #accepted(response: FetchLikeResponse, bytes: Buffer): LoadedServiceMap {
    const type = mediaTypeOf(response);
    const wrongType = type !== undefined && !/^application\/(?:[^;]+\+)?json$/i.test(type);
    const reading = readServiceMap(bytes, { keys: this.#keys, nowMs: this.#clock.now() });
    if (!reading.ok) {
      // Anybody's words, which no key vouches for: for operators, and never in the reason, which clients see.
      const hints = [reading.detail, wrongType && reading.rule === "json" ? `it came as ${type}` : undefined];
      const detail = hints.filter((hint) => hint !== undefined).join("; ");
      const shown = detail === "" ? undefined : shownText(detail, this.#url, this.#secrets);
      throw this.#error(reading.rule, reading.reason, shown);
    }
    if (wrongType) {
      const fields = { brand: BRAND, url: shownUrl(this.#url), contentType: type };
      this.#options.logger?.warn(fields, "The service map is good but does not come as application/json");
    }
    const { map } = reading;
    const body = bytes.toString("utf8");
    const etag = etagOf(response);
    if (etag === undefined) this.#validators.forget(this.#options);
    else this.#validators.remember(this.#options, { body, etag, map, verifiedBy: this.#keys.fingerprint });
    const received = { body, map, notModified: false, ...(etag === undefined ? {} : { etag }) };
    return { payload: map.payload, expiresAtMs: map.expiresAtMs, received };
  }

  /** What must show up nowhere. */
  get #secrets(): readonly string[] {
    const { apiKey = "", signatureKey = "" } = this.#options;
    return [apiKey, signatureKey];
  }

  #tooLarge(): ConnectorManifestError {
    return this.#error("size", `is larger than ${MAX_SERVICE_MAP_BYTES} bytes`);
  }

  #error(rule: ManifestRule, reason: string, detail?: string): ConnectorManifestError {
    return new ConnectorManifestError(rule, reason, { url: this.#url, ...(detail === undefined ? {} : { detail }) });
  }
}

/** Why a request cannot be sent as it is configured. */
function problemOf({
  serviceMapUrl,
  apiKey,
  signatureKey,
  keys,
  timeoutMs,
}: ConnectorServiceMapOptions): string | undefined {
  const url = URL.canParse(serviceMapUrl) ? new URL(serviceMapUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return "its URL is no http or https URL";
  if (url.username !== "" || url.password !== "") return "its URL must hold no user name or password";
  // What no header may hold (RFC 9110, 5.5) would be refused with the key in the message.
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey)) return "the API key must be visible ASCII without spaces";
  if (keys === undefined ? !signatureKey : keys.size === 0) return "there is no key to verify its signature with";
  if (timeoutMs !== undefined && !(timeoutMs > 0)) return "timeoutMs must be more than 0";
  return undefined;
}

/** A publisher's `ETag`, quoted or not, when it can be sent back. */
function etagOf(response: FetchLikeResponse): string | undefined {
  const etag = headerOf(response, "etag");
  return etag !== undefined && /^[\x21-\x7e]{1,1024}$/.test(etag) ? etag : undefined;
}

/** Whether a 304 that carries `answered` cannot be about the map whose `ETag` is `sent` (RFC 9111, 4.3.4). A weak one may be spelled as it likes. */
function isOther(answered: string | undefined, sent: string): boolean {
  return answered !== undefined && !answered.startsWith("W/") && answered !== sent.replace(/^W\//, "");
}

/** The media type of an answer; `undefined` when it names none. */
function mediaTypeOf(response: FetchLikeResponse): string | undefined {
  const type = headerOf(response, "content-type")?.split(";", 1)[0]?.trim();
  if (type === undefined) return undefined;
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(type) ? type : "something that is no media type";
}
