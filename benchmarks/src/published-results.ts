import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Comparison, ComparisonRow } from "./comparison.js";
import type { Machine } from "./write-results.js";

/** `benchmark-results.json`, as far as documents tell of it. */
export interface PublishedResults {
  readonly finishedAt: string;
  readonly machine: Machine;
  readonly settings: { readonly quick: boolean };
  readonly comparisons: readonly ComparisonRow[];
  /** What each suite found, by its name. */
  readonly suites: Readonly<Record<string, { readonly text?: string; readonly comparisons: readonly Comparison[] }>>;
}

/** Reads what `writeResults` wrote. @throws Error when it is something else */
export function parseResults(text: string): PublishedResults {
  const document: unknown = JSON.parse(text);
  if (!isResults(document)) throw new Error("these are no results of a benchmark: run `pnpm bench` anew");
  return document;
}

function isResults(document: unknown): document is PublishedResults & JsonObject {
  if (!isJsonObject(document)) return false;
  const { finishedAt, machine, settings, comparisons, suites } = document;
  return (
    typeof finishedAt === "string" &&
    isJsonObject(machine) &&
    Array.isArray(machine["loadAverage"]) &&
    isJsonObject(settings) &&
    typeof settings["quick"] === "boolean" &&
    Array.isArray(comparisons) &&
    comparisons.every((row) => isJsonObject(row) && typeof row["ratio"] === "number") &&
    isJsonObject(suites) &&
    Object.values(suites).every((suite) => isJsonObject(suite) && Array.isArray(suite["comparisons"]))
  );
}
