import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { vi } from "vitest";
import { RefreshScheduler, type Clock, type RandomSource, type RefreshSchedulerOptions } from "../refresh-scheduler.js";

export const FIVE_MINUTES = 300_000;

/** A refresh that ends when the test says so. */
export class Refresh {
  calls = 0;
  #end: (() => void) | undefined;

  readonly run = async (): Promise<void> => {
    this.calls += 1;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
    });
  };

  end(): void {
    this.#end?.();
  }
}

/** A scheduler of five minutes in a time of its own, without jitter unless told otherwise. */
export function scheduler(options: Partial<RefreshSchedulerOptions> = {}) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const onRefresh = vi.fn<() => Promise<void>>(async () => {});
  const random: RandomSource = fixedRandom(0.5);
  const clock: Clock = time;
  const all = { intervalMs: FIVE_MINUTES, onRefresh, logger, clock, timers: time, random, ...options };
  return { time, logger, onRefresh, scheduler: new RefreshScheduler(all) };
}

/** Chance by a seed (Park and Miller): the same in every run. */
export function seededRandom(seed: number): RandomSource {
  let state = seed;
  return {
    next: () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    },
  };
}
