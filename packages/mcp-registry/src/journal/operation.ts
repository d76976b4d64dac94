import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";

/** An element of `servers` and where it stands, from 0. */
export type PlacedItem = readonly [index: number, raw: unknown];

/** Everything in a registry besides the servers: unknown members, the order, and what is set aside. A string names the server that stands there. */
export interface Arrangement {
  readonly members: JsonObject;
  readonly items: readonly (string | { readonly raw: unknown })[];
}

/** One change of a registry, with what it takes to take it back (`w`, what was there before). */
export type Operation =
  /** A server was added, or put in the place of the one of its name. */
  | { readonly op: "u"; readonly v: unknown; readonly w?: unknown }
  /** Everything of that name was removed. */
  | { readonly op: "r"; readonly n: string; readonly w: readonly PlacedItem[] }
  /** What had been removed was put back. */
  | { readonly op: "i"; readonly at: readonly PlacedItem[] }
  /** The rest was arranged anew. */
  | { readonly op: "x"; readonly x: Arrangement; readonly w: Arrangement };

/** The operation in a record of the journal, or `undefined` when there is none of a form that we know. */
export function operationOf(record: JsonObject): Operation | undefined {
  const { op, v, w, n, at, x } = record;
  switch (op) {
    case "u":
      return isNamed(v) ? { op, v, ...(w === undefined ? {} : { w }) } : undefined;
    case "r":
      return typeof n === "string" ? { op, n, w: placedItems(w) ?? [] } : undefined;
    case "i": {
      const placed = placedItems(at);
      return placed === undefined ? undefined : { op, at: placed };
    }
    case "x":
      return isArrangement(x) && isArrangement(w) ? { op, x, w } : undefined;
    default:
      return undefined;
  }
}

/** The name of the server that an operation is about; none for one about the whole. */
export function nameOf(operation: Operation): string | undefined {
  switch (operation.op) {
    case "u":
      return isNamed(operation.v) ? operation.v.name : undefined;
    case "r":
      return operation.n;
    case "i": {
      const raw = operation.at[0]?.[1];
      return isNamed(raw) ? raw.name : undefined;
    }
    case "x":
      return undefined;
  }
}

/** An operation without what it takes to take it back. */
export function withoutPast(operation: Operation): Operation {
  switch (operation.op) {
    case "u":
      return { op: "u", v: operation.v };
    case "r":
      return { ...operation, w: [] };
    case "i":
      return operation;
    case "x":
      return { ...operation, w: { members: {}, items: [] } };
  }
}

const isNamed = (value: unknown): value is JsonObject & { readonly name: string } =>
  isJsonObject(value) && typeof value["name"] === "string";

function placedItems(value: unknown): readonly PlacedItem[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const placed: PlacedItem[] = [];
  for (const pair of value as readonly unknown[]) {
    if (!Array.isArray(pair)) return undefined;
    const [index, raw] = pair as readonly unknown[];
    if (typeof index !== "number") return undefined;
    placed.push([index, raw]);
  }
  return placed;
}

function isArrangement(value: unknown): value is JsonObject & Arrangement {
  if (!isJsonObject(value) || !isJsonObject(value["members"])) return false;
  const { items } = value;
  return Array.isArray(items) && items.every((item) => typeof item === "string" || isJsonObject(item));
}
