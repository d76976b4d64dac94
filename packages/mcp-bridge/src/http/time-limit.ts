import { GatewayError, type Timers } from "@cortex-os/mcp-core";

/**
 * Runs `work` under one limit of time and the signals of those who may end it. For the cold path only: hot calls have a `Deadline`.
 *
 * @param onExpired makes the error with which the work is aborted when the time is over
 * @throws whatever `work` throws; CANCELLED when one of `signals` fired with something that is no GatewayError
 */
export async function withinTime<T>(
  timers: Timers,
  timeoutMs: number,
  onExpired: () => GatewayError,
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = timers.after(timeoutMs, () => controller.abort(onExpired()));
  const undo: (() => void)[] = [];
  for (const signal of signals) {
    if (signal === undefined) continue;
    const onAbort = () => controller.abort(GatewayError.from(signal.reason, "CANCELLED", "cancelled"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    undo.push(() => signal.removeEventListener("abort", onAbort));
  }
  try {
    return await work(controller.signal);
  } finally {
    stop();
    for (const step of undo) step();
  }
}
