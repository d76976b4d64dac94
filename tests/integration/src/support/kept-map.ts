import { join } from "node:path";
import { fileServiceMapStore, ServiceMapFollower } from "@cortex-os/mcp";
import { silentLogger, systemClock, systemMonotonic, systemRandom, systemTimers } from "@cortex-os/mcp-core";
import { KeyRing } from "@cortex-os/protocol";
import { SIGNATURE_KEY } from "./map-text.js";

/** Leaves this map in a home as a gateway does that once got it from `serviceMapUrl`. */
export async function keepMap(home: string, serviceMapUrl: string, text: string): Promise<void> {
  const keys = KeyRing.fromSecret(SIGNATURE_KEY);
  const ports = { clock: systemClock, monotonic: systemMonotonic, timers: systemTimers, random: systemRandom };
  const file = join(home, "mcp", "state", "service-map.json");
  const follower = new ServiceMapFollower({
    ...{ ...ports, serviceMapUrl, logger: silentLogger, keys: async () => keys },
    fetchImpl: async () => new Response(text),
    flags: { asyncRefresh: false, refreshIntervalMs: 300_000 },
    store: fileServiceMapStore({ file, serviceMapUrl, logger: silentLogger, clock: systemClock }),
  });
  try {
    await follower.sync();
  } finally {
    await follower.stop();
  }
}
