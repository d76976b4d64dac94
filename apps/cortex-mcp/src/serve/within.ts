import type { Timers } from "@cortex-os/mcp-core";

/** Waits for `task`, but no longer than `limitMs` milliseconds: then `onLate` is called and the wait is over. Rejects as `task` does. */
export async function within(limitMs: number, task: Promise<void>, timers: Timers, onLate: () => void): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = timers.after(limitMs, () => {
      onLate();
      resolve();
    });
  });
  try {
    await Promise.race([task, late]);
  } finally {
    cancel();
  }
}
