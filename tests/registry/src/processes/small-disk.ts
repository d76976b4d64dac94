import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { withTempHome } from "./temp-home.js";

/** What a program on a small disk said, or why there is none. */
export type OnSmallDisk =
  | { readonly kind: "ran"; readonly code: number | null; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "impossible"; readonly reason: string };

const IMPOSSIBLE = 77;
/** `$1` is the folder, the rest the program. Nothing is left of the mount when it ends: it is in a namespace of its own. */
const SCRIPT = `mount -t tmpfs -o size=64k,mode=700 tmpfs "$1" || exit ${IMPOSSIBLE}; cd "$1"; shift; exec "$@"`;

/** Runs a Node program with a file system of 64 KiB as its folder: as root, or as somebody who may be root in a namespace of their own. */
export async function runOnSmallDisk(main: string, argument: string): Promise<OnSmallDisk> {
  return withTempHome(async (home) => {
    const flags = process.getuid?.() === 0 ? "-m" : "-Urm";
    const command = [flags, "sh", "-c", SCRIPT, "sh", home, process.execPath, main, argument];
    const child = spawn("unshare", command, { stdio: ["ignore", "pipe", "pipe"] });
    const failed = once(child, "error").then(([error]: unknown[]) => String(error));
    const ended = once(child, "close").then(([code]: unknown[]) => code);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const end = await Promise.race([ended, failed]);
    if (typeof end === "string") return { kind: "impossible", reason: end };
    const [stdout, stderr] = await said;
    if (end === IMPOSSIBLE || (end !== 0 && stderr.startsWith("unshare:")))
      return { kind: "impossible", reason: stderr.trim() };
    return { kind: "ran", code: typeof end === "number" ? end : null, stdout, stderr };
  });
}
