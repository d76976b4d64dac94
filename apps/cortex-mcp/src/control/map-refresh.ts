import type { KnownMap } from "@cortex-os/mcp";
import { GatewayError } from "@cortex-os/mcp-core";
import { counted } from "../output.js";
import type { MapView } from "./map-views.js";

/** What came of asking the publisher for a newer service map, when it gave a good answer. */
export interface MapRefresh {
  /** `held`: a newer one came and waits for a person's word. */
  readonly outcome: "accepted" | "unchanged" | "held";
  /** The map that it is about: the new one, or the one that is still the newest. */
  readonly id: string;
  /** RFC 3339. */
  readonly generatedAt: string;
  /** How many it names. */
  readonly connectors: number;
  /** Of a held one: the connectors that it takes away. */
  readonly removed?: readonly string[];
  /** The id of the map that is in force all the same, because it is pinned. */
  readonly pinned?: string;
}

/** How it stands with the service map, and which maps are kept. */
type MapState = Pick<MapView, "known" | "status">;

/**
 * What a refresh did, by the maps that were kept before and after it.
 *
 * @throws GatewayError SERVICE_MAP when none is kept after it
 */
export function refreshOf(before: readonly KnownMap[], { known, status }: MapState): MapRefresh {
  const held = known.find(({ role }) => role === "held");
  const accepted = known.find(({ role }) => role === "accepted");
  const about = held ?? accepted;
  if (about === undefined) throw new GatewayError("SERVICE_MAP", "the publisher answered, and no service map is kept");
  const isNew = before.every(({ role, id }) => role !== "accepted" || id !== about.id);
  const { id, generatedAt, connectors } = about;
  const pinned = known.find((map) => map.pinned && map.id !== id);
  return {
    outcome: held === undefined ? (isNew ? "accepted" : "unchanged") : "held",
    ...{ id, generatedAt, connectors },
    ...(status.held === undefined ? {} : { removed: status.held.removed }),
    ...(pinned === undefined ? {} : { pinned: pinned.id }),
  };
}

/** The same for a person. */
export function refreshText({ outcome, id, generatedAt, connectors, removed = [], pinned }: MapRefresh): string {
  const which = `${id} of ${generatedAt}, ${counted(connectors, "connector")}`;
  switch (outcome) {
    case "unchanged":
      return `Unchanged: the newest service map is ${which}.${pinnedText(pinned)}`;
    case "accepted":
      return `Accepted ${which}; cortex-mcp map diff shows what it changed.${pinnedText(pinned)}`;
    case "held":
      return `Held: ${which}, takes away ${removed.join(", ")}; cortex-mcp map diff shows it, cortex-mcp map accept puts it in force.`;
  }
}

const pinnedText = (pinned: string | undefined): string =>
  pinned === undefined ? "" : ` In force stays ${pinned}, which is pinned, until cortex-mcp map pin --off.`;
