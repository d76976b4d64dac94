import { createHash } from "node:crypto";
import type { RandomSource } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { INTERVAL, useRig } from "./follower-set-up.js";

const rig = useRig();
const GATEWAYS = 100;
const HOUR = 3_600_000;

/** Chance that is the same in each run, and another one for each gateway. */
function chanceOf(gateway: number): RandomSource {
  let draw = 0;
  return { next: () => createHash("sha256").update(`${gateway}/${draw++}`).digest().readUIntBE(0, 6) / 2 ** 48 };
}

describe("a fleet of 100 gateways that were started in the same moment", () => {
  test(
    "with the default jitter no second holds more than 5 % of the fetches of a round (R5)",
    { timeout: 120_000 },
    async () => {
      rig().publisher.publish({ ttlSeconds: 86_400 });
      const fetches = new Map<number, number>();
      const startedMs = rig().time.now();
      const followers = Array.from({ length: GATEWAYS }, (_, gateway) =>
        rig().follow({
          random: chanceOf(gateway),
          onFetch: () => {
            const second = Math.floor((rig().time.now() - startedMs) / 1_000);
            fetches.set(second, (fetches.get(second) ?? 0) + 1);
          },
        }),
      );
      await rig().time.advance(HOUR);
      expect(followers.every(({ inForce }) => inForce !== undefined)).toBe(true);
      const total = [...fetches.values()].reduce((sum, count) => sum + count, 0);
      expect(total).toBeGreaterThan((GATEWAYS * HOUR) / INTERVAL / 1.2);
      expect(Math.max(...fetches.values())).toBeLessThanOrEqual(GATEWAYS * 0.05);
    },
  );
});
