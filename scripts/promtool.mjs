// promtool, which checks metrics and rules: this machine's own, or from Debian's package `prometheus`, unpacked and not
// installed, because installing would start services.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
const quietly = (command, args, cwd) =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 300_000, cwd });

/** @param {string} program */
function works(program) {
  try {
    quietly(program, ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} folder */
function download(folder) {
  quietly("apt-get", ["download", "prometheus"], folder);
}

/**
 * The path of a promtool that works. What is unpacked stays in `cache` for the next time.
 *
 * @param {string} cache
 * @returns {string}
 * @throws when there is none and none can be had
 */
export function findPromtool(cache) {
  if (works("promtool")) return "promtool";
  const unpacked = path.join(cache, "usr/bin/promtool");
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(cache, { recursive: true });
  try {
    download(cache);
  } catch {
    // The lists of packages are old, or were never fetched.
    quietly("apt-get", ["update"]);
    download(cache);
  }
  const packed = readdirSync(cache).find((name) => name.endsWith(".deb"));
  if (packed === undefined) throw new Error("apt-get downloaded nothing");
  quietly("dpkg-deb", ["--extract", packed, "."], cache);
  if (!works(unpacked)) throw new Error("the promtool of Debian's package does not run on this machine");
  return unpacked;
}
