// Which vitest projects there are.
import { readdirSync } from "node:fs";
import path from "node:path";
import { root } from "./workspace.mjs";

/** The folders of packages whose own tests must cover them (R19). */
export const COVERED_PARENTS = ["apps", "examples", "packages"];

/** The projects that test or measure whatever there is, as globs. */
export const OBSERVERS = ["benchmarks", "scripts", "tests/*"];

/** The folder of every package whose own tests must cover it. */
export const coveredFolders = () =>
  COVERED_PARENTS.flatMap((parent) =>
    readdirSync(path.join(root, parent)).map((name) => path.join(root, parent, name)),
  ).toSorted();

/**
 * How many files of tests a package has.
 *
 * @param {string} folder
 */
export const testFilesIn = (folder) =>
  readdirSync(path.join(folder, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".test.ts"),
  ).length;
