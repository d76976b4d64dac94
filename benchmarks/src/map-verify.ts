import { systemClock } from "@cortex-os/mcp-core";
import { generateKeySet, KeyRing, readServiceMap, signingKeyFromJwks, signServiceMap } from "@cortex-os/protocol";
import type { SigningKeyKind } from "@cortex-os/protocol";
import { pairUp, type Comparison } from "./comparison.js";
import { mapManifest } from "./map-manifest.js";
import type { OnRound } from "./on-round.js";
import { median } from "./statistics.js";

/** How large the maps are, and how often each is read. */
export interface MapVerifyOptions {
  /** Numbers of connectors. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Readings in a round, of a map of ten connectors; fewer of larger ones, at least five. */
  readonly readings: number;
}

interface Reader {
  readonly read: () => void;
  /** The median of each round, in microseconds. */
  readonly tookMicros: number[];
}

/**
 * What it costs to verify a map as it was received, bytes to checked document: against parsing the same bytes without a look at the signature, and Ed25519
 * against HMAC.
 *
 * @throws Error when a map is refused
 */
export function measureMapVerify({ sizes, rounds, readings }: MapVerifyOptions, onRound: OnRound): Comparison[] {
  const measured = sizes.map((size) => {
    const hmac = signedBody(size, "hmac");
    const ed25519 = signedBody(size, "ed25519");
    const parsing: Reader = { read: () => void JSON.parse(hmac.body.toString("utf8")), tookMicros: [] };
    return { size, parsing, hmac: verifying(hmac), ed25519: verifying(ed25519), bytes: hmac.body.length };
  });
  // The first round warms up: code that was not yet compiled would be measured otherwise.
  for (let round = 0; round <= rounds; round++) {
    for (const { size, parsing, hmac, ed25519 } of measured) {
      const readers = [parsing, hmac, ed25519];
      const times = timesOf(readers, Math.max(5, Math.round((readings * 10) / size)));
      if (round > 0) for (const [at, { tookMicros }] of readers.entries()) tookMicros.push(median(times[at] ?? []));
    }
    if (round > 0) onRound(round, rounds);
  }
  return measured.flatMap(({ size, parsing, hmac, ed25519, bytes }) => {
    const of = `of ${size} connectors (${Math.round(bytes / 1_024)} KiB)`;
    return [
      compare(`verify a map ${of}, HMAC`, ["JSON.parse alone", parsing], ["verified, HMAC-SHA256", hmac]),
      compare(`verify a map ${of}, Ed25519`, ["verified, HMAC-SHA256", hmac], ["verified, Ed25519", ed25519]),
    ];
  });
}

function signedBody(size: number, kind: SigningKeyKind): { readonly body: Buffer; readonly keys: KeyRing } {
  const { privateJwks, publicJwks } = generateKeySet({ kind });
  const endpoints = Array.from({ length: size }, (_, at) => `https://connector-${at}.example/mcp`);
  const { body } = signServiceMap(mapManifest(endpoints), { key: signingKeyFromJwks(privateJwks), clock: systemClock });
  return { body: Buffer.from(body), keys: KeyRing.fromJwks(kind === "hmac" ? privateJwks : publicJwks) };
}

function verifying({ body, keys }: { readonly body: Buffer; readonly keys: KeyRing }): Reader {
  const read = (): void => {
    const reading = readServiceMap(body, { keys, nowMs: systemClock.now() });
    if (!reading.ok) throw new Error(`the map is refused (${reading.rule}): ${reading.reason}`);
  };
  return { read, tookMicros: [] };
}

/** The readers take turns at each reading. */
function timesOf(readers: readonly Reader[], count: number): readonly (readonly number[])[] {
  const times = readers.map(() => new Array<number>());
  for (let reading = 0; reading < count; reading++) {
    for (const [at, { read }] of readers.entries()) {
      const beforeMs = performance.now();
      read();
      times[at]?.push((performance.now() - beforeMs) * 1_000);
    }
  }
  return times;
}

function compare(
  measure: string,
  baseline: readonly [string, Reader],
  optimised: readonly [string, Reader],
): Comparison {
  return {
    benchmark: "service map",
    measure,
    unit: "µs",
    is: { baseline: baseline[0], optimised: optimised[0] },
    rounds: pairUp(baseline[1].tookMicros, optimised[1].tookMicros),
  };
}
