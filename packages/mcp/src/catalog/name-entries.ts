import { publicToolName, type NamePolicy } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { byCodeUnits } from "./by-code-units.js";
import { entriesOf, type CatalogPart, type NameCollision, type NamedEntry } from "./catalog-part.js";

/** Entries with their public names, and what had to be refused. */
export interface NamedEntries {
  /** Sorted by name in code-unit order, so that every replica lists them alike. */
  readonly entries: readonly NamedEntry[];
  readonly collisions: readonly NameCollision[];
}

type Claim = Omit<NamedEntry, "json">;

/**
 * Gives every tool or prompt its public name (design.md, decision 4). One that a connector lists twice counts once, the first time. A name that two different
 * ones claim is refused to both: a call must never reach the other one.
 */
export function nameEntries(
  parts: readonly CatalogPart[],
  kind: "tools" | "prompts",
  policy: NamePolicy,
): NamedEntries {
  const claims = new Map<string, Claim[]>();
  const shared = policy.prefix === "auto" ? namesOfferedTwice(parts, kind) : undefined;
  for (const part of parts) {
    for (const [own, definition] of firstByName(entriesOf(part, kind))) {
      const prefixed = shared === undefined ? policy.prefix === "always" : shared.has(own);
      const name = publicToolName(part.key, own, policy, prefixed);
      const claim = { name, connector: part.key, own, definition };
      const others = claims.get(name);
      if (others === undefined) claims.set(name, [claim]);
      else others.push(claim);
    }
  }
  return settle(claims);
}

function settle(claims: ReadonlyMap<string, readonly Claim[]>): NamedEntries {
  const entries: NamedEntry[] = [];
  const collisions: NameCollision[] = [];
  for (const [name, claimants] of claims) {
    const [only, ...others] = claimants;
    if (only === undefined) continue;
    if (others.length > 0) {
      const names = claimants.map(({ connector, own }) => `${connector}/${own}`);
      collisions.push({ name, claimants: names.toSorted(byCodeUnits) });
      continue;
    }
    const definition = { ...only.definition, name };
    entries.push({ ...only, definition, json: JSON.stringify(definition) });
  }
  return {
    entries: entries.toSorted((a, b) => byCodeUnits(a.name, b.name)),
    collisions: collisions.toSorted((a, b) => byCodeUnits(a.name, b.name)),
  };
}

function firstByName(entries: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  const byName = new Map<string, JsonObject>();
  for (const definition of entries) {
    const { name } = definition;
    // What has no name cannot be asked for.
    if (typeof name === "string" && name !== "" && !byName.has(name)) byName.set(name, definition);
  }
  return byName;
}

function namesOfferedTwice(parts: readonly CatalogPart[], kind: "tools" | "prompts"): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const part of parts) {
    for (const name of firstByName(entriesOf(part, kind)).keys()) {
      if (seen.has(name)) twice.add(name);
      seen.add(name);
    }
  }
  return twice;
}
