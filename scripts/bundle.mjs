// The app as it is published: `apps/cortex-mcp/bundle`, made of what the compiler wrote, with every library in it.
// `node scripts/bundle.mjs` brings it up to date. Why so: docs/decisions/0026-the-app-is-one-bundle.md.
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { libraryParts } from "./library-parts.mjs";
import { librariesOf, licensesText } from "./third-party-licenses.mjs";
import { root } from "./workspace.mjs";

const APP = path.join(root, "apps/cortex-mcp");
const FOLDER = path.join(APP, "bundle");
const ENTRY = path.join(APP, "dist/main.js");
const LICENSES = "THIRD-PARTY-LICENSES.txt";
/** What the bundle was made from, for the next run. Outside of the bundle, so that it is not published. */
const STAMP = path.join(root, "node_modules/.cache/bundle.json");
/** Where files are written before they take their place. On the same file system, and not where another run cleans up. */
const WRITTEN = path.join(root, "node_modules/.cache/bundle-");
/** Whoever changes how it is made changes what it is made from; so does who installs another version of a library, whose files before stay for days. */
const MADE_BY = [
  ...["bundle.mjs", "library-parts.mjs", "third-party-licenses.mjs"].map((name) =>
    path.join(import.meta.dirname, name),
  ),
  path.join(root, "node_modules/.pnpm/lock.yaml"),
];

/** @typedef {{ inputs: readonly string[], digest: string, outputs: readonly string[] }} Stamp */

/**
 * What tells whether any of the files changed: sizes and times of all of them.
 *
 * @param {readonly string[]} files
 */
function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest("hex");
}

function isUpToDate() {
  try {
    /** @type {Stamp} */
    const { inputs, digest, outputs } = JSON.parse(readFileSync(STAMP, "utf8"));
    const there = new Set(readdirSync(FOLDER));
    return outputs.every((name) => there.has(name)) && there.size === outputs.length && digestOf(inputs) === digest;
  } catch {
    // There is none yet, or a file that went into it is gone.
    return false;
  }
}

/**
 * Replaces what is in the folder, the entry last: it is complete whenever it can be started.
 *
 * @param {ReadonlyMap<string, string>} files
 */
function writeFolder(files) {
  mkdirSync(FOLDER, { recursive: true });
  mkdirSync(path.dirname(WRITTEN), { recursive: true });
  const written = mkdtempSync(WRITTEN);
  try {
    for (const [name, text] of files) {
      const temporary = path.join(written, name);
      writeFileSync(temporary, text);
      renameSync(temporary, path.join(FOLDER, name));
    }
  } finally {
    rmSync(written, { recursive: true, force: true });
  }
  for (const name of readdirSync(FOLDER)) if (!files.has(name)) rmSync(path.join(FOLDER, name), { force: true });
}

/**
 * Brings the bundle up to date with what the compiler wrote. Does nothing when it is.
 *
 * @throws {Error} when the bundler warns of anything, or a library names no licence
 */
export async function bundleApp() {
  if (isUpToDate()) return;
  // Only now: looking whether there is anything to do should cost nothing.
  const { rolldown } = await import("rolldown");
  /** @type {string[]} */
  const warnings = [];
  const build = await rolldown({
    input: { main: ENTRY },
    cwd: root,
    platform: "node",
    plugins: [libraryParts()],
    external: [...builtinModules, /^node:/],
    onLog: (level, { message }) => void (level === "warn" && warnings.push(message)),
  });
  try {
    const { output } = await build.generate({
      format: "esm",
      // All in one folder: a module finds package.json one above itself, wherever the bundler puts it.
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      comments: false,
      // Half as much to read and to compile at every start. Functions and classes keep their names: a stack tells where it was.
      minify: { compress: false, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    });
    if (warnings.length > 0) throw new Error(`the bundler warns:\n${warnings.join("\n")}`);
    const chunks = output.flatMap((file) => (file.type === "chunk" ? [file] : []));
    const modules = chunks.flatMap((chunk) => chunk.moduleIds).filter((id) => path.isAbsolute(id));
    const later = chunks.filter(({ isEntry }) => !isEntry);
    const entries = chunks.filter(({ isEntry }) => isEntry);
    const files = new Map([
      [LICENSES, licensesText(librariesOf(modules))],
      ...[...later, ...entries].map((chunk) => /** @type {const} */ ([chunk.fileName, chunk.code])),
    ]);
    writeFolder(files);
    const inputs = [...MADE_BY, ...(await build.watchFiles).filter((file) => path.isAbsolute(file))];
    writeFileSync(STAMP, JSON.stringify({ inputs, digest: digestOf(inputs), outputs: [...files.keys()] }));
  } finally {
    await build.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await bundleApp();
