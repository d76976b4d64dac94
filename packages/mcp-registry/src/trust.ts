import { GatewayError } from "@cortex-os/mcp-core";
import type { FileStat } from "./fs/registry-fs.js";

const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;
const ROOT = 0;

/**
 * Refuses a file that somebody else could have put there, because what it says is started as a process: a symbolic link, one of another owner,
 * one that everybody may write to; and what is no file at all.
 *
 * @param owner who may own it, besides root; `undefined` where there are no owners
 * @throws GatewayError `REGISTRY_IO`
 */
export function assertTrusted(file: string, { kind, uid, mode }: FileStat, owner: number | undefined): void {
  if (kind === "link") {
    const advice = "put the file itself there, or let CORTEX_HOME name the folder it is in";
    throw refusal(file, "it is a symbolic link", advice);
  }
  if (kind !== "file") throw refusal(file, "it is not a regular file", "move it away");
  if (owner !== undefined && uid !== owner && uid !== ROOT)
    throw refusal(file, "it belongs to another user, who could make this one run commands", "chown it to yourself");
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw refusal(file, "everybody may write to it", `chmod 600 ${file}`);
}

/** Whether everybody may put files of theirs in the place of those in a folder. */
export const isOpenToAll = ({ kind, mode }: FileStat): boolean =>
  kind === "folder" && (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0;

/** The error that says why something is not used, and what to do about it. */
export const refusal = (file: string, reason: string, advice: string): GatewayError =>
  new GatewayError("REGISTRY_IO", `${file} is refused: ${reason}; ${advice}`);
