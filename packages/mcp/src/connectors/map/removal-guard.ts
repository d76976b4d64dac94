import { connectorsOf, type ServiceMapPayload } from "@cortex-os/protocol";

/** A map that takes fewer connectors away is never held. */
const FEWEST_REMOVED = 3;

/** The ids of the connectors that are enabled in `from` and not in `to`, sorted. */
export function removedConnectors(from: ServiceMapPayload, to: ServiceMapPayload): readonly string[] {
  const stay = new Set(enabledIds(to));
  return enabledIds(from)
    .filter((id) => !stay.has(id))
    .toSorted();
}

/**
 * Whether putting `to` in the place of `from` takes away so much that a person must say yes: more than half of the enabled connectors, and at least
 * three (R6). That is how a publisher's empty database or wrong branch looks.
 *
 * @returns the ids it takes away; `undefined` when it may go ahead
 */
export function massRemoval(from: ServiceMapPayload, to: ServiceMapPayload): readonly string[] | undefined {
  const removed = removedConnectors(from, to);
  return removed.length >= FEWEST_REMOVED && removed.length * 2 > enabledIds(from).length ? removed : undefined;
}

const enabledIds = (map: ServiceMapPayload): string[] =>
  connectorsOf(map)
    .filter(({ status }) => status === "enabled")
    .map(({ id }) => id);
