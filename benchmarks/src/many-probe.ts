import { setTimeout } from "node:timers/promises";
import { Pool } from "undici";
import { percentile } from "./statistics.js";

/** How long a request took that costs nothing itself, while something else was done: for so long the gateway, or the machine, did something else. Milliseconds. */
export interface Held {
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** Asks a gateway every two milliseconds, if it answers by then, until `work` is done. */
export async function heldDuring(gateway: string, work: () => Promise<unknown>): Promise<Held> {
  const pool = new Pool(new URL(gateway).origin, { connections: 1 });
  const state = { isDone: false };
  const tookMs: number[] = [];
  const ask = async (): Promise<void> => {
    while (!state.isDone) {
      const before = performance.now();
      const { body } = await pool.request({ method: "GET", path: "/livez" });
      await body.dump();
      tookMs.push(performance.now() - before);
      await setTimeout(2);
    }
  };
  const run = async (): Promise<void> => {
    try {
      await work();
    } finally {
      state.isDone = true;
    }
  };
  try {
    await Promise.all([ask(), run()]);
  } finally {
    await pool.close();
  }
  return { longestMs: Math.max(...tookMs), p99Ms: percentile(tookMs, 0.99) };
}
