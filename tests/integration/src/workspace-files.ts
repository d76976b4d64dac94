import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** The root folder of the checkout. */
export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** What the tests here read of a `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One package of the workspace. */
export interface WorkspacePackage {
  /** Its folder relative to the root, with forward slashes. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The manifest in a folder given relative to the root. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}

/** Every package of the workspace, found on disk as pnpm finds it, sorted by folder. */
export function workspacePackages(): readonly WorkspacePackage[] {
  return ["apps", "examples", "packages", "tests"]
    .flatMap((parent) => readdirSync(path.join(ROOT, parent)).map((name) => `${parent}/${name}`))
    .concat("benchmarks")
    .filter((folder) => existsSync(path.join(ROOT, folder, "package.json")))
    .toSorted()
    .map((folder) => ({ folder, manifest: readManifest(folder) }));
}

/**
 * The TypeScript sources under a folder's `src` (tests too), as paths relative to the root. Read from disk, not from
 * git, so that a file is checked before it is committed.
 */
export function sourceFiles(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder, "src"), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/src/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".ts"))
    .toSorted();
}

/** The text of a file given relative to the root. */
export function readText(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

/** True for a test, and for what only tests import. */
export function isTest(file: string): boolean {
  return file.includes("/__tests__/") || file.startsWith("tests/");
}

/** Every file that git tracks or would track, relative to the root. */
export function committedFiles(): readonly string[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  })
    .split("\n")
    .filter((file) => file !== "" && existsSync(path.join(ROOT, file)));
}
