import { createHash, randomBytes } from "node:crypto";
import type { ProcessIdentity } from "./process-identity.js";

// ext4 and its like keep the text of a symbolic link in its inode up to 59 bytes; a longer one takes a block of the disk, and four times as long to make. So names
// of machines are shortened to what still tells them apart, and everything is compared in this form.

/** What a lock says: who holds it, with what is long in the form of {@link shortIdentity}. */
export interface LockContent {
  readonly holder: ProcessIdentity;
  /** The thread whose section it is; none for a lock that is held across turns of the event loop. */
  readonly thread: number | undefined;
  /** Unique to this taking, and fit to be a part of a file name. */
  readonly token: string;
}

const FORM = /^(\d{1,10}),([^,/]*),([^,/]*),([^,/]*),([0-9a-z]*),(\d{0,10}),([\w-]{8,40})$/;
const HOST_CHARACTERS = 12;
const HOST_HEAD_CHARACTERS = 5;
const BOOT_CHARACTERS = 8;
const NAMESPACE_CHARACTERS = 7;

/** The text of a lock without its token, which comes last. `holder` must be short. */
export function lockTextStart(holder: ProcessIdentity, thread: number | undefined): string {
  const startTime = holder.startTime === "" ? "" : Number(holder.startTime).toString(36);
  return [holder.pid, holder.host, holder.bootId, holder.namespace, startTime, thread ?? "", ""].join(",");
}

/** Who holds a lock that says `text`; `undefined` when that is none of ours. */
export function parseLockText(text: string): LockContent | undefined {
  const [, pid, host, bootId, namespace, startTime, thread, token] = FORM.exec(text) ?? [];
  if (host === undefined || bootId === undefined || namespace === undefined || token === undefined) return undefined;
  return {
    holder: {
      pid: Number(pid),
      host,
      bootId,
      namespace,
      startTime: startTime ? `${Number.parseInt(startTime, 36)}` : "",
    },
    thread: thread ? Number(thread) : undefined,
    token,
  };
}

/** `identity` with everything in it that is long made short: what was the same before is after, and what differed differs. */
export function shortIdentity({ pid, host, bootId, namespace, startTime }: ProcessIdentity): ProcessIdentity {
  return {
    pid,
    host: /^[\w.-]*$/.test(host) && host.length <= HOST_CHARACTERS ? host : shortHost(host),
    bootId: shortened(bootId, BOOT_CHARACTERS),
    namespace: shortened(namespace, NAMESPACE_CHARACTERS),
    startTime,
  };
}

/** Says a little to people: its head is kept. No host name has a `~`. */
function shortHost(host: string): string {
  const head = host.replaceAll(/[^\w.-]/g, "").slice(0, HOST_HEAD_CHARACTERS);
  return `${head}~${shortened(host, HOST_CHARACTERS - HOST_HEAD_CHARACTERS - 1)}`;
}

/** An empty text, which says that the platform does not tell, stays one. */
function shortened(text: string, characters: number): string {
  return text === "" ? "" : createHash("sha256").update(text).digest("base64url").slice(0, characters);
}

/** Of this thread: random bytes for each taking would cost as much as a quarter of it. */
const SEED = randomBytes(6).toString("base64url");
let takings = 0;

/** A new token. */
export function newLockToken(): string {
  return SEED + (takings++).toString(36);
}
