// `pnpm coverage:diff [BASE]`: are at least 95 % of the changed lines covered (R19)? Reads what `pnpm test:coverage`
// wrote and what git says has changed since BASE, committed or not.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./workspace.mjs";

const WANTED_PERCENT = 95;

/** A source file whose coverage counts: in a package's `src`, no test, no entry point (see vitest.shared.ts). */
const COUNTED = /^((?:apps|examples|packages)\/[^/]+)\/src\/(?!.*__tests__\/)(?!(?:.*[/-])?main\.ts$).*\.ts$/;

/** @typedef {Map<number, number>} LineHits how often each executable line ran, by its number */

/**
 * The hits of each line of each file of an lcov report, by the path written there.
 *
 * @param {string} text
 * @returns {Map<string, LineHits>}
 */
export function parseLcov(text) {
  /** @type {Map<string, LineHits>} */
  const files = new Map();
  /** @type {LineHits} */
  let hits = new Map();
  for (const line of text.split("\n")) {
    if (line.startsWith("SF:")) {
      hits = new Map();
      files.set(line.slice(3).trim(), hits);
    } else if (line.startsWith("DA:")) {
      const [number, count] = line.slice(3).split(",").map(Number);
      if (number !== undefined && count !== undefined) hits.set(number, count);
    }
  }
  return files;
}

/**
 * The added or changed lines of each file of a `git diff --unified=0`, by path. Deleted files and pure deletions have
 * none.
 *
 * @param {string} text
 * @returns {Map<string, number[]>}
 */
export function parseDiff(text) {
  /** @type {Map<string, number[]>} */
  const files = new Map();
  /** @type {number[] | undefined} */
  let lines;
  let inHunkHeader = true;
  for (const line of text.split("\n")) {
    if (line.startsWith("diff --git ")) {
      inHunkHeader = true;
      lines = undefined;
    } else if (inHunkHeader && line.startsWith("+++ ")) {
      lines = line === "+++ /dev/null" ? undefined : [];
      if (lines !== undefined) files.set(line.slice("+++ b/".length), lines);
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    inHunkHeader = false;
    const first = Number(hunk[1]);
    for (let offset = 0; offset < Number(hunk[2] ?? 1); offset += 1) lines?.push(first + offset);
  }
  return files;
}

/**
 * How many of the changed executable lines ran, and where the others are.
 *
 * @param {Map<string, number[]>} changed
 * @param {Map<string, LineHits>} coverage
 */
export function judge(changed, coverage) {
  let total = 0;
  const missed = [];
  for (const [file, lines] of changed) {
    const hits = coverage.get(file);
    const executable = lines.filter((line) => hits?.has(line));
    const uncovered = executable.filter((line) => hits?.get(line) === 0);
    total += executable.length;
    if (uncovered.length > 0) missed.push({ file, lines: uncovered });
  }
  const covered = total - missed.reduce((sum, { lines }) => sum + lines.length, 0);
  return { total, covered, missed, percent: total === 0 ? 100 : (covered / total) * 100 };
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 */
function git(folder, args) {
  return execFileSync("git", args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * Where the change began: what was asked for, else where this branch left `origin/main`, else the commit before.
 *
 * @param {string} folder
 * @param {string | undefined} asked
 */
function baseOf(folder, asked) {
  if (asked !== undefined) return asked;
  for (const args of [
    ["merge-base", "origin/main", "HEAD"],
    ["rev-parse", "--verify", "HEAD~1"],
  ]) {
    try {
      return git(folder, args).trim();
    } catch {
      // Not every checkout has it: try the next.
    }
  }
  return git(folder, ["hash-object", "-t", "tree", "/dev/null"]).trim();
}

/**
 * Runs the whole check on a checkout. Resolves with the exit code; what it found goes to `print`.
 *
 * @param {{ folder: string, base?: string | undefined, print: (line: string) => void }} options
 */
export function coverageDiff({ folder, base: asked, print }) {
  const base = baseOf(folder, asked);
  const diff = git(folder, [
    "diff",
    "--unified=0",
    "--no-color",
    "--no-ext-diff",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    base,
    "--",
    "*.ts",
  ]);
  const changed = new Map([...parseDiff(diff)].filter(([file]) => COUNTED.test(file)));
  /** @type {Map<string, LineHits>} */
  const coverage = new Map();
  for (const project of new Set([...changed.keys()].map((file) => COUNTED.exec(file)?.[1] ?? ""))) {
    const report = path.join(folder, project, "coverage/lcov.info");
    if (!existsSync(report)) {
      print(`No coverage of ${project}: run \`pnpm test:coverage\` first.`);
      return 1;
    }
    for (const [file, hits] of parseLcov(readFileSync(report, "utf8"))) {
      coverage.set(path.posix.join(project, file.replaceAll("\\", "/")), hits);
    }
  }
  const { total, covered, missed, percent } = judge(changed, coverage);
  for (const { file, lines } of missed) print(`${file}: not covered: ${lines.join(", ")}`);
  print(
    `${covered} of ${total} changed lines covered since ${base.slice(0, 12)}: ${percent.toFixed(1)} % (wanted: ${WANTED_PERCENT} %)`,
  );
  return percent >= WANTED_PERCENT ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const base = process.argv.slice(2).find((arg) => arg !== "--");
  process.exitCode = coverageDiff({ folder: root, base, print: console.log });
}
