import { setTimeout as sleep } from "node:timers/promises";
import { openSession } from "./legacy-session.js";
import { load, type Targets } from "./load.js";
import { NoiseWatch, type Noise } from "./noise.js";
import type { OnRound } from "./on-round.js";
import { minimalUpstreamPath } from "./program-paths.js";
import { withServers, type Servers } from "./server-process.js";
import type { Endpoint, Subject, Upstream } from "./subject.js";
import type { Measurement } from "./summary.js";
import { toolCall, type Ask } from "./tool-call.js";
import type { Traffic } from "./traffic.js";
import { measureWays, WARM_UP_AT_ONCE, type Way, type WaysOptions } from "./ways.js";

/** What came of one kind of traffic. */
export interface TrafficFound {
  readonly measurements: readonly Measurement[];
  readonly noise: Noise;
  /** Why somebody else's program could not be measured, by its name. */
  readonly failures: Readonly<Record<string, string>>;
}

/** How long a subject may take from its start to its first good answer. */
const READY_MS = 20_000;
const READY_EVERY_MS = 100;

/**
 * Puts every subject that can stand there under the same traffic, in interleaved rounds. Upstream and subjects are processes of their own, started for this traffic alone.
 * @throws Error when one of ours fails; of others the failure is told
 */
export async function measureTraffic(
  traffic: Traffic,
  subjects: readonly Subject[],
  options: WaysOptions,
  onRound: OnRound,
): Promise<TrafficFound> {
  return withServers(async (servers) => {
    const upstream = await startUpstream(servers, traffic);
    const connections = Math.max(WARM_UP_AT_ONCE, ...options.concurrencies);
    const failures: Record<string, string> = {};
    const ways: Way[] = [];
    for (const subject of subjects) {
      if (!subject.upstreams.includes(traffic.upstream) || !subject.eras.includes(traffic.era)) continue;
      try {
        const endpoint = await subject.start({ servers, era: traffic.era, upstream });
        ways.push(await readyWay(subject, endpoint, traffic, connections));
      } catch (error) {
        if (!subject.isForeign) throw error;
        failures[subject.name] = error instanceof Error ? error.message : String(error);
      }
    }
    const watch = new NoiseWatch();
    const beforeRound = (): void => {
      watch.beforeRound();
    };
    const measured = await measureWays(ways, { ...options, beforeRound }, onRound);
    for (const { way, concurrency, failure } of measured)
      if (failure !== undefined) failures[`${way}, ${concurrency} at once`] = failure;
    return { measurements: measured.filter(({ failure }) => failure === undefined), noise: watch.noise, failures };
  });
}

async function startUpstream(servers: Servers, { upstream, era }: Traffic): Promise<Upstream> {
  if (upstream === "stdio") return { kind: "stdio", args: [minimalUpstreamPath, era, "stdio"] };
  return { kind: "http", url: (await servers.start([minimalUpstreamPath, era])).url };
}

/** Tries until the first call is answered well. */
async function readyWay(subject: Subject, endpoint: Endpoint, traffic: Traffic, connections: number): Promise<Way> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    try {
      const sessions = await sessionsOf(endpoint.url, traffic, connections);
      const targetsFor =
        (ask: Ask): Targets =>
        (connection) =>
          toolCall({ ...endpoint, era: traffic.era, session: sessions[connection] }, ask, connection);
      await load(targetsFor(traffic.ask), 1, 1);
      return {
        name: subject.name,
        target: targetsFor(traffic.ask),
        // Small calls: what a process holds after them is its memory at rest, before any of the results that are measured.
        ...(traffic.ask.tool === "payload" ? { warmUp: targetsFor({ tool: "echo" }) } : {}),
        ...(endpoint.pid === undefined ? {} : { pid: endpoint.pid }),
        mayFail: subject.isForeign,
      };
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(READY_EVERY_MS);
    }
  }
}

/** A session for each connection, as if each were a client of its own. */
async function sessionsOf(
  url: string,
  { era }: Traffic,
  connections: number,
): Promise<readonly (string | undefined)[]> {
  if (era === "modern") return [];
  const sessions: (string | undefined)[] = [];
  for (let at = 0; at < connections; at++) sessions.push(await openSession(url));
  return sessions;
}
