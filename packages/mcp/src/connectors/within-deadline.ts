import type { Timers } from "@cortex-os/mcp-core";

/** What ends a piece of work early, and with which error. */
export interface DeadlineOptions {
  readonly timers: Timers;
  /** For all of the work, in milliseconds. */
  readonly timeoutMs: number;
  /** Calls the work off. */
  readonly signal: AbortSignal | undefined;
  readonly onTimeout: () => Error;
  readonly onAbort: () => Error;
}

/**
 * Does `work` within a deadline. The signal it is given fires when it failed, took too long or was called off, so that nothing of it stays open; the
 * result does not depend on whether the work heeds it.
 *
 * @throws what `work` throws, or the error of `onTimeout` or `onAbort`; with a signal that fired before, the work does not begin
 */
export async function withinDeadline<T>(
  { timers, timeoutMs, signal, onTimeout, onAbort }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted === true) throw onAbort();
  const controller = new AbortController();
  let cut: (error: Error) => void = () => {};
  const cutShort = new Promise<never>((_resolve, reject) => {
    cut = reject;
  });
  const calledOff = (): void => {
    cut(onAbort());
  };
  const cancel = timers.after(timeoutMs, () => {
    cut(onTimeout());
  });
  signal?.addEventListener("abort", calledOff, { once: true });
  try {
    return await Promise.race([work(controller.signal), cutShort]);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    cancel();
    signal?.removeEventListener("abort", calledOff);
  }
}
