import { encodeChange, type Change, type ChangeOrigin } from "./journal.js";
import { withoutPast, type Operation } from "./operation.js";

/** How changes are recorded. */
export interface ChangeNote {
  readonly by: ChangeOrigin;
  /** The groups that they take back. */
  readonly undoes?: readonly number[];
}

/** Where changes go in a journal. */
export interface RecordPlace {
  /** The sequence number of the first. */
  readonly seq: number;
  readonly atMs: number;
  readonly epoch: number;
  /** How many bytes of the journal are known to be durable. */
  readonly durable: number;
}

/** Operations as changes of one group, and the frames that record them. */
export function recordsOf(
  operations: readonly Operation[],
  { by, undoes = [] }: ChangeNote,
  { seq, atMs, epoch, durable }: RecordPlace,
): { readonly changes: readonly Change[]; readonly frames: Buffer } {
  const changes = operations.map((operation, at) => ({ seq: seq + at, atMs, by, group: seq, undoes, operation }));
  const frames = changes.map((change) => {
    try {
      return encodeChange(change, epoch, durable);
    } catch {
      // With what was there before it is too long for a frame: better a change that cannot be taken back than none.
      return encodeChange({ ...change, operation: withoutPast(change.operation) }, epoch, durable);
    }
  });
  return { changes, frames: Buffer.concat(frames) };
}

/** Whether changes go on where a sequence number ends. */
export const follow = (changes: readonly Change[], seq: number): boolean =>
  changes.every((change, at) => change.seq === seq + 1 + at);
