import { measureManyClients, type ManyClientsFound, type ManyClientsOptions } from "./many-clients.js";
import { measureManyConnectors, type ManyConnectorsFound, type ManyConnectorsOptions } from "./many-connectors.js";
import type { OnRound } from "./on-round.js";

/** How many of everything. */
export interface ManyOptions {
  readonly connectors: ManyConnectorsOptions;
  readonly clients: readonly ManyClientsOptions[];
}

/** What many of everything cost. */
export interface ManyFound {
  readonly connectors: ManyConnectorsFound;
  readonly clients: readonly ManyClientsFound[];
}

/** As it is published (issue 7, Many). */
export const MANY: ManyOptions = {
  connectors: { connectors: 1_000, tools: 100, changes: 5, lookMs: 10_000, settleMs: 6_000 },
  clients: [
    { kind: "listeners", clients: 10_000, lookMs: 60_000 },
    { kind: "sessions", clients: 1_000, lookMs: 60_000 },
    { kind: "silent-sessions", clients: 1_000, lookMs: 10_000 },
  ],
};

/** For a look: too few for anything but the shape. */
export const QUICK_MANY: ManyOptions = {
  connectors: { connectors: 50, tools: 100, changes: 2, lookMs: 1_000, settleMs: 2_000 },
  clients: [
    { kind: "listeners", clients: 500, lookMs: 1_000 },
    { kind: "sessions", clients: 100, lookMs: 1_000 },
    { kind: "silent-sessions", clients: 100, lookMs: 1_000 },
  ],
};

/** Looks at many connectors, and then at many clients of each kind (R18). */
export async function measureMany(options: ManyOptions, onRound: OnRound): Promise<ManyFound> {
  const all = 1 + options.clients.length;
  const connectors = await measureManyConnectors(options.connectors);
  onRound(1, all);
  const clients: ManyClientsFound[] = [];
  for (const each of options.clients) {
    clients.push(await measureManyClients(each));
    onRound(1 + clients.length, all);
  }
  return { connectors, clients };
}

/** The figures, for people. */
export function manyReport({ connectors, clients }: ManyFound): string {
  return [...connectorLines(connectors), "", ...clients.flatMap(clientLines), ""].join("\n");
}

function connectorLines(found: ManyConnectorsFound): readonly string[] {
  const { connectors, tools } = found;
  const resident = found.residentBytes - found.bareResidentBytes;
  const heap = found.heapBytes - found.bareHeapBytes;
  const each = (bytes: number): string =>
    `${kib(bytes / connectors)} a connector, ${(bytes / connectors / tools).toFixed(0)} B a tool`;
  return [
    `${connectors} connectors × ${tools} tools:`,
    `- all listed ${ms(found.untilListedMs)} after spawning, with ${ms(found.startCpuMs)} of CPU and ${found.catalogsAtStart} catalogs`,
    `- resident ${mib(found.residentBytes)}, of it ${mib(found.bareResidentBytes)} without any connector: ${each(resident)}`,
    `- heap ${mib(found.heapBytes)}, of it ${mib(found.bareHeapBytes)} without any connector: ${each(heap)}`,
    `- one changed tool: told after ${ms(found.changeToNoticeMs)}, with ${ms(found.changeCpuMs)} of CPU, others waited ${ms(found.changeHoldsMs)} at the most`,
    `- tools/list, a page: p50 ${ms(found.page.p50Ms)}, p99 ${ms(found.page.p99Ms)}; tools/call: p50 ${ms(found.call.p50Ms)}, p99 ${ms(found.call.p99Ms)}; /metrics: ${ms(found.metricsMs)}`,
    `- quiet: ${ms(found.quietCpuMsPerMinute)} of CPU a minute`,
  ];
}

function clientLines({ kind, clients, broadcast, ...found }: ManyClientsFound): readonly string[] {
  return [
    `${clients} ${NAMES[kind]}:`,
    `- ${kib(found.bytesPerClient)} resident and ${ms(found.openCpuMsPerClient)} of CPU each; ${found.descriptors} more descriptors; quiet: ${ms(found.quietCpuMsPerMinute)} of CPU a minute`,
    ...(broadcast === undefined
      ? []
      : [
          `- one change: the first told after ${ms(broadcast.firstMs)}, the last after ${ms(broadcast.lastMs)}, at most ${broadcast.mostIn10Ms} in 10 ms; ${ms(broadcast.cpuMs)} of CPU, others waited ${ms(broadcast.held.longestMs)} at the most (p99 ${ms(broadcast.held.p99Ms)}; in quiet ${ms(found.heldInQuiet.longestMs)}, p99 ${ms(found.heldInQuiet.p99Ms)})`,
        ]),
  ];
}

const NAMES = {
  listeners: "clients that listen (subscriptions/listen)",
  sessions: "legacy sessions with a GET stream",
  "silent-sessions": "legacy sessions without a stream",
} as const;

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
