import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { lockTextStart, shortIdentity } from "../lock-text.js";
import { ownIdentity, type ProcessIdentity } from "../process-identity.js";

/** An identity of this machine whose process is gone. */
export async function deadIdentity(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return { ...ownIdentity(), pid: child.pid ?? 0, startTime: "1" };
}

/** Leaves a lock as if `holder` had taken it, in a section if `thread` is given. */
export function leaveLock(path: string, holder: ProcessIdentity, token: string, thread?: number): void {
  symlinkSync(lockTextStart(shortIdentity(holder), thread) + token, path);
}
