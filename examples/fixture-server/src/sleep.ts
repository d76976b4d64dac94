import type { Timers } from "@cortex-os/mcp-core";

/**
 * Waits `delayMs` milliseconds.
 * @returns whether the whole time passed: `false`, at once, when `signal` aborts first. Leaves no timer behind.
 */
export async function sleep(timers: Timers, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return await new Promise<boolean>((resolve) => {
    const onAbort = (): void => {
      cancelTimer();
      resolve(false);
    };
    const cancelTimer = timers.after(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
