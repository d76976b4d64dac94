import type { Ear } from "./ear.js";
import type { Handover } from "./handover.js";

/** One ear and what is known of it. */
export interface Seat {
  readonly asked: readonly string[];
  ear: Ear | undefined;
  isReady: boolean;
  /** It was not acknowledged in time: nobody waits for it any more. */
  isLate: boolean;
  /** Ends the wait for its acknowledgement. */
  cancelWait: () => void;
  /** The resources that it hears of. */
  covered: ReadonlySet<string>;
  /** Another one has taken its place; while that is not over it is heard still. */
  leaving?: Handover;
}

/** Whether its acknowledgement may still come in time. */
export const isAwaited = ({ isReady, isLate }: Seat): boolean => !isReady && !isLate;

/** Closes the ear. */
export function leave({ cancelWait, ear }: Seat): void {
  cancelWait();
  ear?.close();
}
