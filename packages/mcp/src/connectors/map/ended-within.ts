import type { Timers } from "@cortex-os/mcp-core";

/** Waits for `work`, and no longer than this many milliseconds; what takes longer goes on. Rejects with what `work` rejects with in that time. */
export async function endedWithin(work: Promise<void>, waitMs: number, timers: Timers): Promise<void> {
  let cancel = (): void => {};
  const waited = new Promise<void>((resolve) => {
    cancel = timers.after(waitMs, resolve);
  });
  try {
    await Promise.race([work, waited]);
  } finally {
    cancel();
  }
}
