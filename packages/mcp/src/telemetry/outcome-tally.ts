import { CALL_OUTCOMES, type CallOutcome } from "../gateway/metered-sink.js";
import { measuredMethod, type MeasuredMethod } from "./measured-method.js";

/** How requests ended, by method: counted in plain numbers with every request, and told to a counter when somebody looks (R18). */
export class OutcomeTally {
  readonly #counts = new Map<MeasuredMethod, Record<CallOutcome, number>>();

  /** @param method as the client said it */
  count(method: string, outcome: CallOutcome): void {
    const measured = measuredMethod(method);
    let counts = this.#counts.get(measured);
    if (counts === undefined) this.#counts.set(measured, (counts = noneYet()));
    counts[outcome] += 1;
  }

  /** Gives what was counted since the last time. */
  drain(to: (method: MeasuredMethod, outcome: CallOutcome, count: number) => void): void {
    for (const [method, counts] of this.#counts) {
      for (const outcome of CALL_OUTCOMES) {
        if (counts[outcome] > 0) to(method, outcome, counts[outcome]);
        counts[outcome] = 0;
      }
    }
  }
}

const noneYet = (): Record<CallOutcome, number> => ({ answered: 0, failed: 0, broken: 0, cancelled: 0 });
