import { distinctToolName, publicToolName, type NamePolicy } from "@cortex-os/mcp-core";
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
  const claims = parts.flatMap((part) =>
    [...firstByName(entriesOf(part, kind))].map(([own, definition]): Claim => {
      const name = publicToolName(part.key, own, policy, policy.prefix === "always");
      return { name, connector: part.key, own, definition };
    }),
  );
  return settle(byName(policy.prefix === "auto" ? prefixColliding(claims, policy) : claims));
}

/**
 * Under `auto`, whatever shares its name with another one gets its connector's key in front, and everything else keeps its name. Where the longer name is what yet
 * another one is called, it gets a digest as well: no tool may come by a name that one beside it has.
 */
function prefixColliding(claims: readonly Claim[], policy: NamePolicy): readonly Claim[] {
  const short = byName(claims);
  return claims.map((claim) => {
    if (short.get(claim.name)?.length === 1) return claim;
    const { connector, own } = claim;
    const long = publicToolName(connector, own, policy, true);
    return { ...claim, name: short.has(long) ? distinctToolName(connector, own, policy) : long };
  });
}

function byName(claims: readonly Claim[]): ReadonlyMap<string, readonly Claim[]> {
  const claimants = new Map<string, Claim[]>();
  for (const claim of claims) {
    const others = claimants.get(claim.name);
    if (others === undefined) claimants.set(claim.name, [claim]);
    else others.push(claim);
  }
  return claimants;
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
  const first = new Map<string, JsonObject>();
  for (const definition of entries) {
    const { name } = definition;
    // What has no name cannot be asked for.
    if (typeof name === "string" && name !== "" && !first.has(name)) first.set(name, definition);
  }
  return first;
}
