import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { encodeFrame, frameAt, scanFrames, type Frame } from "./frame.js";
import { isCount } from "../is-count.js";
import { operationOf, type Operation } from "./operation.js";

/** The first frame of a journal. */
export interface JournalHeader {
  /** Which registry it belongs to. */
  readonly id: string;
  /** Frames of another epoch are of another life and never count. */
  readonly epoch: number;
  /** The sequence number it builds on: its first change is the next one. */
  readonly base: number;
  /** Whether what it builds on is a `servers.json` that was not ours: nothing else tells what that held. */
  readonly onFile: boolean;
}

/** Whose doing a change was. A command's is not said in the journal. */
export type ChangeOrigin = "command" | "hand" | "undo" | "restore";

/** One change in a journal. */
export interface Change {
  readonly seq: number;
  /** When it was made, in milliseconds since the epoch, by the clock of whoever made it. */
  readonly atMs: number;
  readonly by: ChangeOrigin;
  /** The first of the changes that were made as one. */
  readonly group: number;
  /** The groups that it takes back. */
  readonly undoes: readonly number[];
  readonly operation: Operation;
}

/** What a journal says, and how whole it is. */
export interface Journal {
  readonly header: JournalHeader | undefined;
  readonly epoch: number;
  /** In the order of the file; what is not to be believed is not among them. */
  readonly changes: readonly Change[];
  /** The highest sequence number that is known to be in a durable snapshot. */
  readonly snapshotSeq: number | undefined;
  /**
   * `torn`: its end was never known to be durable and is not whole, as a crash leaves it; what begins at {@link end} does not count.
   * `corrupt`: a part is damaged that was durable once; what is whole after it does count.
   */
  readonly state: "whole" | "torn" | "corrupt";
  /** Where the next frame goes, in bytes. */
  readonly end: number;
  /** Whether somebody has noted that it is durable up to somewhere: then its entry in the folder is, too. */
  readonly isMarked: boolean;
}

const BASE_EPOCH = 1;
const VERSION = 1;

/** The bytes of a header. */
export function encodeHeader({ id, epoch, base, onFile }: JournalHeader, atMs: number): Buffer {
  return encodeFrame({ v: VERSION, id, e: epoch, b: base, t: atMs, ...(onFile ? { f: 1 } : {}) });
}

/**
 * The bytes of a change.
 *
 * @param durable how many bytes of the journal are known to be durable
 */
export function encodeChange(change: Change, epoch: number, durable: number): Buffer {
  const { seq, atMs, by, group, undoes, operation } = change;
  return encodeFrame({
    ...{ e: epoch, s: seq, d: durable, t: atMs },
    ...operation,
    ...(by === "command" ? {} : { by }),
    ...(group === seq ? {} : { g: group }),
    ...(undoes.length === 0 ? {} : { un: undoes }),
  });
}

/** The bytes that say that a journal is durable up to an offset. */
export const encodeDurableMark = (epoch: number, durable: number): Buffer =>
  encodeFrame({ e: epoch, m: 1, d: durable });

/** The bytes that say that the snapshot of a sequence number is durable. */
export const encodeSnapshotMark = (epoch: number, seq: number): Buffer => encodeFrame({ e: epoch, m: 2, s: seq });

/** The version of a journal's form when only a newer program knows it. */
export function newerVersionOf(bytes: Buffer): number | undefined {
  const value = frameAt(bytes, 0)?.value;
  return isJsonObject(value) && isCount(value["v"]) && value["v"] > VERSION ? value["v"] : undefined;
}

/** Reads a journal. Never throws, whatever the bytes: see {@link Journal.state}. */
export function readJournal(bytes: Buffer): Journal {
  const { frames, firstBad } = scanFrames(bytes);
  const first = frames[0];
  const header = first?.offset === 0 ? headerOf(first.value) : undefined;
  const records = (header === undefined ? frames : frames.slice(1)).map(recordOf);
  const epoch = header?.epoch ?? records.find((record) => record.epoch !== undefined)?.epoch ?? BASE_EPOCH;
  const foreign = records.find((record) => record.epoch !== epoch);
  const bad = Math.min(header === undefined ? 0 : firstBad, foreign?.frame.offset ?? firstBad, firstBad);
  const own = records.filter((record) => record.epoch === epoch);
  const durable = own.reduce((most, record) => Math.max(most, record.durable), 0);
  if (bad >= bytes.length && header !== undefined) return journalOf(header, epoch, own, "whole", bytes.length);
  if (bad < durable) return journalOf(header, epoch, own, "corrupt", bytes.length);
  const before = own.filter(({ frame }) => frame.offset < bad);
  return journalOf(header, epoch, before, "torn", bad);
}

/** What whole frames say that were added to a journal of this epoch; `undefined` when there is anything else among them. */
export function readAdded(bytes: Buffer, epoch: number): Pick<Journal, "changes" | "snapshotSeq"> | undefined {
  const { frames, firstBad } = scanFrames(bytes);
  const records = frames.map(recordOf);
  if (firstBad < bytes.length || records.some((record) => record.epoch !== epoch)) return undefined;
  return journalOf(undefined, epoch, records, "whole", bytes.length);
}

interface JournalRecord {
  readonly frame: Frame;
  /** None for a frame of a form that we do not know. */
  readonly epoch: number | undefined;
  readonly durable: number;
  readonly isMark: boolean;
  readonly snapshotSeq: number;
  readonly change: Change | undefined;
}

function journalOf(
  header: JournalHeader | undefined,
  epoch: number,
  records: readonly JournalRecord[],
  state: Journal["state"],
  end: number,
): Journal {
  const snapshotSeq = records.reduce((most, record) => Math.max(most, record.snapshotSeq), -1);
  return {
    ...{ header, epoch, state, end },
    isMarked: records.some(({ isMark }) => isMark),
    changes: records.flatMap(({ change }) => (change === undefined ? [] : [change])),
    snapshotSeq: snapshotSeq < 0 ? undefined : snapshotSeq,
  };
}

function headerOf(value: unknown): JournalHeader | undefined {
  if (!isJsonObject(value)) return undefined;
  const { v, id, e, b, f } = value;
  if (v !== VERSION || typeof id !== "string" || !isCount(e) || !isCount(b)) return undefined;
  return { id, epoch: e, base: b, onFile: f === 1 };
}

function recordOf(frame: Frame): JournalRecord {
  const { value } = frame;
  const none = { frame, epoch: undefined, durable: 0, isMark: false, snapshotSeq: -1, change: undefined };
  if (!isJsonObject(value)) return none;
  const { e: epoch, d, m, s } = value;
  if (!isCount(epoch)) return none;
  const durable = isCount(d) ? d : 0;
  if (m === 1) return { frame, epoch, durable, isMark: true, snapshotSeq: -1, change: undefined };
  if (m === 2) return isCount(s) ? { frame, epoch, durable, isMark: false, snapshotSeq: s, change: undefined } : none;
  const change = changeOf(value);
  return change === undefined ? none : { frame, epoch, durable, isMark: false, snapshotSeq: -1, change };
}

function changeOf(record: JsonObject): Change | undefined {
  const { s, t, by, g, un } = record;
  const operation = operationOf(record);
  if (operation === undefined || !isCount(s) || typeof t !== "number") return undefined;
  const undoes = Array.isArray(un) ? un.filter(isCount) : NOTHING;
  return { seq: s, atMs: t, by: originOf(by), group: isCount(g) ? g : s, undoes, operation };
}

const NOTHING: readonly number[] = [];

const originOf = (by: unknown): ChangeOrigin => (by === "hand" || by === "undo" || by === "restore" ? by : "command");

/** Where a journal begins; none for one without a beginning, which cannot be gone on with. */
export const baseOfJournal = ({ header, state, changes }: Journal): number | undefined =>
  header?.base ?? (state === "corrupt" && changes[0] !== undefined ? changes[0].seq - 1 : undefined);

/** Whether a journal can be gone on with: one that is damaged, or ends before the snapshot that is there, would have a gap before what is added. */
export const isReliable = ({ state, changes, header }: Journal, seq: number): boolean =>
  state !== "corrupt" && (changes.at(-1)?.seq ?? header?.base ?? seq) >= seq;
