// What the scripts of the workspace share: where it is, and how to run one of its tools.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

/** The root folder of the workspace. */
export const root = path.resolve(import.meta.dirname, "..");

const require = createRequire(import.meta.url);

/**
 * What the scripts read of a `package.json`. Throws if there is none or it is not JSON.
 *
 * @param {string} folder
 * @returns {{ bin?: string | Record<string, string>, private?: boolean, dependencies?: Record<string, string>, devDependencies?: Record<string, string> }}
 */
export function readManifest(folder) {
  return require(path.join(folder, "package.json"));
}

/**
 * The script behind a binary of one of the root's devDependencies, to be run with `process.execPath`: no shell, no
 * wrapper process between a signal and the tool. Throws if the package is not installed or has no such binary.
 *
 * @param {string} packageName
 * @param {string} [binary]
 */
export function toolPath(packageName, binary = packageName) {
  const folder = path.join(root, "node_modules", packageName);
  const { bin } = readManifest(folder);
  const relative = typeof bin === "string" ? bin : bin?.[binary];
  if (relative === undefined) throw new Error(`${packageName} has no binary ${binary}`);
  return path.join(folder, relative);
}

/**
 * Runs a Node script and resolves with its exit code: 128 + n for a signal, like a shell. A SIGTERM that reaches only
 * this process is handed on, so that nothing outlives the caller; a Ctrl-C reaches the whole group by itself, so we only
 * wait for the child to end.
 *
 * @param {string} script
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions & { onSpawn?: (child: import("node:child_process").ChildProcess) => void }} [options]
 * @returns {Promise<number>}
 */
export function runNode(script, args, { onSpawn = () => {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: "inherit", ...options });
    onSpawn(child);
    const forward = () => void child.kill("SIGTERM");
    const wait = () => {};
    process.on("SIGTERM", forward).on("SIGINT", wait);
    const done = () => process.off("SIGTERM", forward).off("SIGINT", wait);
    child.once("error", (error) => {
      done();
      reject(error);
    });
    // Not "close": a process that outlives it may hold its output open.
    child.once("exit", (code, signal) => {
      done();
      resolve(code ?? 128 + (signal === "SIGINT" ? 2 : 15));
    });
  });
}

/**
 * Brings `dist` of the named projects (all of them when none is named) up to date. What the compiler prints goes to
 * stderr, because stdout may belong to a command. Resolves with the compiler's exit code.
 *
 * @param {readonly string[]} [projects]
 */
export function build(projects = []) {
  return runNode(toolPath("typescript", "tsc"), ["-b", ...projects], { stdio: ["ignore", 2, 2] });
}

/**
 * Brings the bundle of the app up to date with its `dist`. Resolves with the exit code; what went wrong is on stderr.
 */
export function bundle() {
  return runNode(path.join(root, "scripts/bundle.mjs"), [], { stdio: ["ignore", 2, 2] });
}
