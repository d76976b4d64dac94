import type { Era } from "@cortex-os/mcp-core/wire";
import type { Upstream } from "./subject.js";
import type { Ask } from "./tool-call.js";

/** One kind of traffic that subjects are put under. */
export interface Traffic {
  /** The name of its suite. */
  readonly name: string;
  /** What it is, in the files that are written. */
  readonly benchmark: string;
  readonly load: string;
  readonly upstream: Upstream["kind"];
  readonly era: Era;
  readonly ask: Ask;
  readonly concurrencies: readonly number[];
  /** The same in the quick form; without it the quick form leaves this traffic out. */
  readonly quick?: readonly number[];
}

const KIB = 1_024;

/** All traffic of the benchmark (R18). */
export const TRAFFIC: readonly Traffic[] = [
  {
    name: "road",
    ...{ benchmark: "steady state", load: "tool calls", upstream: "http", era: "modern" },
    ...{ ask: { tool: "echo" }, concurrencies: [1, 16, 64], quick: [16] },
  },
  {
    name: "legacy-road",
    ...{ benchmark: "legacy sessions", load: "tool calls", upstream: "http", era: "legacy" },
    ...{ ask: { tool: "echo" }, concurrencies: [1, 16, 64], quick: [16] },
  },
  {
    name: "results-64k",
    ...{ benchmark: "results of 64 KiB", load: "tool calls", upstream: "http", era: "modern" },
    ...{ ask: { tool: "payload", bytes: 64 * KIB }, concurrencies: [1, 16] },
  },
  {
    name: "results-4m",
    ...{ benchmark: "results of 4 MiB", load: "tool calls", upstream: "http", era: "modern" },
    ...{ ask: { tool: "payload", bytes: 4 * KIB * KIB }, concurrencies: [64] },
  },
  {
    name: "progress",
    ...{ benchmark: "10 steps of progress", load: "tool calls", upstream: "http", era: "modern" },
    ...{ ask: { tool: "progress", steps: 10 }, concurrencies: [1, 16] },
  },
  {
    name: "stdio-road",
    ...{ benchmark: "stdio upstream", load: "tool calls", upstream: "stdio", era: "modern" },
    ...{ ask: { tool: "echo" }, concurrencies: [1, 16, 64], quick: [16] },
  },
  {
    name: "legacy-stdio-road",
    ...{ benchmark: "legacy sessions, stdio upstream", load: "tool calls", upstream: "stdio", era: "legacy" },
    ...{ ask: { tool: "echo" }, concurrencies: [1, 16] },
  },
];
