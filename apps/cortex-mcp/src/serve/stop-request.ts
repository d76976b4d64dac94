import type { Io, StopSignal } from "../io.js";
import { exitCodeOf } from "../process-io.js";

/**
 * A signal this soon after the first, in milliseconds, is the same wish: at a terminal, Ctrl-C reaches the whole process group, and a
 * wrapper like npx hands it on once more.
 */
const SAME_WISH_MS = 500;

/** Waits for the wish to stop. */
export interface StopRequest {
  /** Resolves with the first signal. */
  readonly requested: Promise<StopSignal>;
  /** Whether it has come. */
  readonly isRequested: () => boolean;
  /** Listens no more. */
  dispose(): void;
}

/** From now on the first signal asks for an orderly end, and a later second one ends the process at once. */
export function listenForStop(io: Pick<Io, "onSignal" | "exit" | "system">): StopRequest {
  let dispose = (): void => {};
  let firstAtMs: number | undefined;
  const requested = new Promise<StopSignal>((resolve) => {
    dispose = io.onSignal((signal) => {
      const nowMs = io.system.monotonic.elapsedMs();
      firstAtMs ??= nowMs;
      resolve(signal);
      if (nowMs - firstAtMs > SAME_WISH_MS) io.exit(exitCodeOf(signal));
    });
  });
  return { requested, isRequested: () => firstAtMs !== undefined, dispose };
}
