/** Waits for `task`, but no longer than until `signal` says so. Rejects as `task` does, or with the signal's reason; `task` itself goes on. */
export async function orAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    if (signal.aborted) onAbort();
    await Promise.race([task, aborted]);
    signal.throwIfAborted();
    return await task;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
