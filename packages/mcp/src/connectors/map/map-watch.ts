import { BRAND, LONGEST_DELAY_MS, type Logger, type Timers } from "@cortex-os/mcp-core";
import { shownUrl } from "../shown-url.js";
import { URGENCIES, type Urgency } from "./map-lifetime.js";
import { timeText } from "./time-text.js";
import type { LivingMap } from "./map-shelf.js";

/** What a {@link MapWatch} works through. */
export interface MapWatchDeps {
  readonly serviceMapUrl: string;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Time alone changed what may be said of the map. */
  readonly onChange: () => void;
}

/** Watches one map grow old: warns well before it may be served no more, once per step (R6). */
export class MapWatch {
  readonly #deps: MapWatchDeps;
  #cancel: (() => void) | undefined;
  #told: { readonly id: string; readonly urgency: Urgency } | undefined;

  constructor(deps: MapWatchDeps) {
    this.#deps = deps;
  }

  /** This is the map in force, as old as it is now. */
  look(map: LivingMap | undefined): void {
    this.stop();
    if (map === undefined) return;
    this.#tell(map);
    const { changesInMs } = map.lifetime;
    if (changesInMs === undefined) return;
    // Further away than a timer reaches: it looks again on the way.
    this.#cancel = this.#deps.timers.after(Math.min(changesInMs, LONGEST_DELAY_MS), this.#deps.onChange);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tell({ payload: { id, generatedAt }, lifetime, pinned = false }: LivingMap): void {
    const { urgency, staleUntilMs } = lifetime;
    const before = this.#told?.id === id ? this.#told.urgency : "none";
    this.#told = { id, urgency };
    if (URGENCIES.indexOf(urgency) <= URGENCIES.indexOf(before)) return;
    const { logger, serviceMapUrl } = this.#deps;
    const staleUntil = timeText(staleUntilMs);
    const fields = { brand: BRAND, url: shownUrl(serviceMapUrl), mapId: id, generatedAt, staleUntil, urgency };
    const { stale, tooOld } = pinned ? PINNED : FOLLOWED;
    if (urgency === "expired") logger.error(fields, tooOld);
    else logger.warn(fields, stale);
  }
}

const FOLLOWED = {
  stale: "The service map is stale: its connectors go down when it becomes too old",
  tooOld: "The service map is too old to be served: its connectors go down",
} as const;

/** The publisher may well be there: only the pin stands in the way of its newest map. */
const PINNED = {
  stale:
    "The pinned service map is stale: its connectors go down when it becomes too old, unless `cortex-mcp map pin --off` follows the newest again",
  tooOld:
    "The pinned service map is too old to be served: its connectors go down until `cortex-mcp map pin --off` follows the newest again",
} as const;
