import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { overHttp } from "./matrix/http-wire.js";
import { MATRIX_UPSTREAMS } from "./matrix/matrix-upstreams.js";
import { RawClient } from "./matrix/raw-client.js";
import { overSse } from "./matrix/sse-wire.js";
import { overStdio } from "./matrix/stdio-wire.js";
import type { OpenWire } from "./matrix/wire.js";
import { startSurfaceGateway, type SurfaceGateway } from "./support/surface-gateway.js";
import type { RunningUpstream } from "./support/running-upstream.js";

// R22, R23: request ids and progress tokens of all clients are the same small numbers, and every message finds its own caller all the same.

const STDIO_CLIENTS = 4;
const CLIENTS = 50;
const CALLS = 20;
const STEPS = 5;
const TAKES_MS = 600;
const ENDLESS = { ms: 600_000, steps: 3_000 };
/** Every seventh call is given up when its first progress is heard. */
const GIVEN_UP_EVERY = 7;

const REVISIONS = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];

let gateway: SurfaceGateway;
let upstreams: readonly RunningUpstream[];
let clients: readonly RawClient[];

const KINDS = MATRIX_UPSTREAMS.filter(({ key }) => key === "legacy-stdio" || key === "legacy-http");

beforeAll(async () => {
  upstreams = await Promise.all(KINDS.map(async (kind) => kind.start()));
  gateway = await startSurfaceGateway(
    upstreams.map(({ entry }) => entry),
    { legacySse: true },
  );
  clients = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, at) => {
      const revision = REVISIONS[at % REVISIONS.length] ?? "2026-07-28";
      if (at === CLIENTS - 1) return RawClient.connect("2024-11-05", overSse(gateway.url));
      return RawClient.connect(revision, wireOf(at, revision));
    }),
  );
}, 120_000);

afterAll(async () => {
  try {
    await Promise.all(clients.map(async (client) => client.close()));
    await gateway.close();
  } finally {
    await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  }
}, 60_000);

const wireOf = (at: number, revision: string): OpenWire =>
  at < STDIO_CLIENTS ? overStdio(gateway) : overHttp(gateway.url, revision);

/** What one call heard, by its own label. */
interface Outcome {
  readonly label: string;
  readonly progress: readonly unknown[];
  readonly text: string;
}

describe.each(KINDS)("1,000 calls of 50 clients at once, of a server of $title", ({ key }) => {
  test("every client hears its own progress and results, and nothing else (R22)", async () => {
    const outcomes = await everyCall(key, async (client, call) => ended(client, call));
    expect(outcomes).toHaveLength(CLIENTS * CALLS);
    for (const outcome of outcomes) expect(outcome).toEqual(wholeOf(outcome.label));
    expectNoStrays();
  });

  test("also while every seventh call is given up, which the server hears of (R22)", async () => {
    const before = await counts(key);
    let givenUp = 0;
    const outcomes = await everyCall(key, async (client, call, nth) => {
      if (nth % GIVEN_UP_EVERY !== 0) return ended(client, call);
      givenUp += 1;
      return abandoned(client, call);
    });
    for (const outcome of outcomes) {
      if (outcome !== undefined) expect(outcome).toEqual(wholeOf(outcome.label));
    }
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(givenUp);
    await vi.waitFor(async () => {
      const { cancelled, completed, inFlight } = await counts(key);
      expect({ cancelled, completed, inFlight }).toEqual({
        cancelled: before.cancelled + givenUp,
        completed: before.completed + CLIENTS * CALLS - givenUp,
        inFlight: 0,
      });
    });
    expectNoStrays();
  });
});

let round = 0;

/** The calls of all clients, of all at once. Each names its caller and itself in all that it says. */
async function everyCall<T>(
  key: string,
  make: (client: RawClient, call: Call, nth: number) => Promise<T>,
): Promise<T[]> {
  round += 1;
  const calls = clients.flatMap((client, at) => {
    client.restartIds();
    return Array.from({ length: CALLS }, async (_, nth) => {
      const label = `round ${round} client ${at} call ${nth}`;
      return make(client, { name: `${key}__slow`, label }, at * CALLS + nth);
    });
  });
  // Also when one fails, none goes on into the next test.
  const settled = await Promise.allSettled(calls);
  const failed = settled.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
}

interface Call {
  readonly name: string;
  readonly label: string;
}

async function ended(client: RawClient, { name, label }: Call): Promise<Outcome> {
  const progress: unknown[][] = [];
  const call = { name, arguments: { ms: TAKES_MS, steps: STEPS, label } };
  const result = await client.request("tools/call", call, {
    onProgress: (params) => progress.push([params["progress"], params["message"]]),
  });
  return { label, progress, text: String((result["content"] as { text: string }[])[0]?.text) };
}

const wholeOf = (label: string): Outcome => ({
  label,
  progress: Array.from({ length: STEPS }, (_, at) => [at + 1, `${label}: step ${at + 1} of ${STEPS}`]),
  text: `${label}: took ${TAKES_MS} ms in ${STEPS} steps`,
});

/** A call that would take for ever, given up as soon as it is known to run: what it has heard until then is its own. */
async function abandoned(client: RawClient, { name, label }: Call): Promise<undefined> {
  const call = { name, arguments: { ms: ENDLESS.ms, steps: ENDLESS.steps, label } };
  const abort = new AbortController();
  const heard: string[] = [];
  const calling = client.request("tools/call", call, {
    signal: abort.signal,
    onProgress: (params) => {
      heard.push(String(params["message"]));
      abort.abort("given up");
    },
  });
  await expect(calling).rejects.toThrow("given up");
  // More may have come in one piece with the first.
  expect(heard).toEqual(heard.map((_, at) => `${label}: step ${at + 1} of ${ENDLESS.steps}`));
}

function expectNoStrays(): void {
  clients.forEach((client, at) => {
    expect(client.strays).toEqual([]);
    // What was under way when a call was given up is at least its caller's.
    for (const { params, result } of client.late) {
      expect(JSON.stringify(params ?? result)).toContain(`"round ${round} client ${at} call `);
    }
  });
}

async function counts(key: string): Promise<Readonly<Record<"cancelled" | "completed" | "inFlight", number>>> {
  const [first] = clients;
  const result = await first?.request("tools/call", { name: `${key}__cancelled`, arguments: {} });
  return result?.["structuredContent"] as Readonly<Record<"cancelled" | "completed" | "inFlight", number>>;
}
