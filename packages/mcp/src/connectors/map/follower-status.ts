import { connectorsOf } from "@cortex-os/protocol";
import type { Lifetime } from "./map-lifetime.js";
import type { HeldMap, LivingMap } from "./map-shelf.js";
import type { CircuitState } from "./refresh-circuit.js";
import { timeText } from "./time-text.js";

/** How it stands with the service map; times are RFC 3339. Nothing in it is secret, but it is for operators. */
export interface ServiceMapStatus {
  /** Origin and path. */
  readonly url: string;
  readonly mode: "background" | "synchronous";
  /** Of the map in force; `none`: nothing was accepted so far. `expired`: it is not served any more. */
  readonly state: "none" | Lifetime;
  readonly id?: string;
  readonly generatedAt?: string;
  readonly keyId?: string;
  /** How many it enables. */
  readonly connectors?: number;
  /** Seconds since it was generated, by clocks that were never set back. */
  readonly ageSeconds?: number;
  /** Until then it is fresh. */
  readonly expiresAt?: string;
  /** Until then it is served at most. */
  readonly staleUntil?: string;
  readonly lastSuccessAt?: string;
  readonly lastAttemptAt?: string;
  /** Why the last attempt failed, if it did; without a stop at its end, to stand in other sentences. */
  readonly lastError?: string;
  readonly nextRefreshAt?: string;
  readonly circuit: CircuitState;
  /** In a row. */
  readonly failures: number;
  /** The id of the pinned map. */
  readonly pinned?: string;
  /** A newer map that waits for a person's word. */
  readonly held?: {
    readonly id: string;
    readonly generatedAt: string;
    readonly removed: readonly string[];
    readonly reason: string;
  };
}

/** What a follower knows of its work; times in milliseconds since the epoch. */
export interface FollowerProgress extends Pick<
  ServiceMapStatus,
  "url" | "mode" | "circuit" | "failures" | "lastError" | "pinned"
> {
  readonly lastSuccessAtMs: number | undefined;
  readonly lastAttemptAtMs: number | undefined;
  readonly nextRefreshAtMs: number | undefined;
}

/** Puts a status together. */
export function serviceMapStatus(
  { lastSuccessAtMs, lastAttemptAtMs, nextRefreshAtMs, ...progress }: FollowerProgress,
  chosen: LivingMap | undefined,
  held: HeldMap | undefined,
): ServiceMapStatus {
  return {
    ...progress,
    state: chosen?.lifetime.lifetime ?? "none",
    ...(chosen === undefined ? {} : statusOfMap(chosen)),
    ...said({
      lastSuccessAt: timeText(lastSuccessAtMs),
      lastAttemptAt: timeText(lastAttemptAtMs),
      nextRefreshAt: timeText(nextRefreshAtMs),
    }),
    ...(held === undefined ? {} : { held: statusOfHeld(held) }),
  };
}

/** Why a map is held, in words for people. */
export const heldReason = (removed: readonly string[]): string =>
  `it removes or disables ${removed.length} connectors, more than half of those enabled; see \`cortex-mcp map diff\`, then \`cortex-mcp map accept\``;

function statusOfMap({ payload, lifetime, kid }: LivingMap): Partial<ServiceMapStatus> {
  const generatedAtMs = Date.parse(payload.generatedAt);
  const enabled = connectorsOf(payload).filter(({ status }) => status === "enabled");
  return {
    id: payload.id,
    generatedAt: payload.generatedAt,
    connectors: enabled.length,
    ...said({
      keyId: kid,
      ageSeconds: Number.isNaN(generatedAtMs)
        ? undefined
        : Math.max(0, Math.round((lifetime.nowMs - generatedAtMs) / 1_000)),
      expiresAt: timeText(lifetime.freshUntilMs),
      staleUntil: timeText(lifetime.staleUntilMs),
    }),
  };
}

const statusOfHeld = ({ map: { payload }, removed }: HeldMap): NonNullable<ServiceMapStatus["held"]> => ({
  id: payload.id,
  generatedAt: payload.generatedAt,
  removed,
  reason: heldReason(removed),
});

type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that are `undefined`. */
function said<T extends object>(members: T): Said<T>;
function said(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
