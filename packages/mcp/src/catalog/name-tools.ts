import { publicToolName, type NamePolicy } from "@cortex-os/mcp-core";
import { isJsonObject, mirroredParams, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { entriesOf, type CatalogPart, type CatalogTool, type NameCollision } from "./catalog-part.js";

/** Tools with their public names, and what had to be refused. */
export interface NamedTools {
  /** Sorted by name in code-unit order, so that every replica lists them alike. */
  readonly tools: readonly CatalogTool[];
  readonly collisions: readonly NameCollision[];
}

interface Claim {
  readonly name: string;
  readonly connector: string;
  readonly tool: string;
  readonly definition: JsonObject;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Gives every tool its public name (design.md, decision 4). A tool that a connector lists twice counts once, the first time. A name that
 * two different tools claim is refused to both: a call must never reach the other one.
 */
export function nameTools(parts: readonly CatalogPart[], policy: NamePolicy): NamedTools {
  const claims = new Map<string, Claim[]>();
  const shared = policy.prefix === "auto" ? namesOfferedTwice(parts) : undefined;
  for (const part of parts) {
    for (const [tool, definition] of firstByName(entriesOf(part, "tools"))) {
      const prefixed = shared === undefined ? policy.prefix === "always" : shared.has(tool);
      const name = publicToolName(part.key, tool, policy, prefixed);
      const claim = { name, connector: part.key, tool, definition };
      const others = claims.get(name);
      if (others === undefined) claims.set(name, [claim]);
      else others.push(claim);
    }
  }
  return settle(claims);
}

function settle(claims: ReadonlyMap<string, readonly Claim[]>): NamedTools {
  const tools: CatalogTool[] = [];
  const collisions: NameCollision[] = [];
  for (const [name, claimants] of claims) {
    const [only, ...others] = claimants;
    if (only === undefined) continue;
    if (others.length > 0) {
      const names = claimants.map(({ connector, tool }) => `${connector}/${tool}`);
      collisions.push({ name, claimants: names.toSorted(byCodeUnits) });
      continue;
    }
    const definition = { ...only.definition, name };
    const json = JSON.stringify(definition);
    const mirrored = mirroredBy(definition, json);
    const { connector, tool } = only;
    tools.push({ name, connector, tool, definition, json, ...(mirrored === undefined ? {} : { mirrored }) });
  }
  return {
    tools: tools.toSorted((a, b) => byCodeUnits(a.name, b.name)),
    collisions: collisions.toSorted((a, b) => byCodeUnits(a.name, b.name)),
  };
}

/** An annotation that breaks the rules counts as none: over HTTP clients leave such a tool out, others need not look at it. */
function mirroredBy({ inputSchema }: JsonObject, json: string): readonly MirroredParam[] | undefined {
  // Hardly any tool has one, and finding a word is much faster than walking a schema.
  if (!json.includes('"x-mcp-header"') || !isJsonObject(inputSchema)) return undefined;
  const read = mirroredParams(inputSchema);
  return read.ok && read.params.length > 0 ? read.params : undefined;
}

function firstByName(tools: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  const byName = new Map<string, JsonObject>();
  for (const definition of tools) {
    const { name } = definition;
    // A tool without a name cannot be called.
    if (typeof name === "string" && name !== "" && !byName.has(name)) byName.set(name, definition);
  }
  return byName;
}

function namesOfferedTwice(parts: readonly CatalogPart[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const part of parts) {
    for (const name of firstByName(entriesOf(part, "tools")).keys()) {
      if (seen.has(name)) twice.add(name);
      seen.add(name);
    }
  }
  return twice;
}
