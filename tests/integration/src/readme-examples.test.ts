import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { committedFiles, readText, ROOT, workspacePackages } from "./workspace-files.js";

/** Where each of our entry points has its types, built. */
const PATHS = Object.fromEntries(
  workspacePackages()
    .filter(({ folder }) => folder.startsWith("packages/"))
    .flatMap(({ folder, manifest }) => [
      [manifest.name, [path.join(ROOT, folder, "dist/index.d.ts")]],
      [`${manifest.name}/*`, [path.join(ROOT, folder, "dist/*/index.d.ts")]],
    ]),
);

const readmes = committedFiles().filter((file) => /^(?:packages|apps)\/[^/]+\/README\.md$/.test(file));

const examplesIn = (file: string): readonly string[] =>
  [...readText(file).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);

test("R21: every package has a README", () => {
  const folders = workspacePackages()
    .map(({ folder }) => folder)
    .filter((folder) => /^(?:packages|apps)\//.test(folder));
  expect(readmes.toSorted()).toEqual(folders.map((folder) => `${folder}/README.md`).toSorted());
});

test("R21: the examples in the READMEs of packages compile as they stand, as strictly as our own code", () => {
  // Below the root, so that Node's types are found.
  mkdirSync(path.join(ROOT, "node_modules/.cache"), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, "node_modules/.cache/readmes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of readmes) {
    for (const [index, code] of examplesIn(file).entries()) {
      writeFileSync(path.join(folder, `${file.replaceAll("/", "-")}-${index}.mts`), code);
    }
  }
  // Readers write `process.env.NAME`.
  const theirs = { noPropertyAccessFromIndexSignature: false };
  const compilerOptions = {
    ...theirs,
    noEmit: true,
    composite: false,
    incremental: false,
    types: ["node"],
    paths: PATHS,
  };
  const config = { extends: path.join(ROOT, "tsconfig.base.json"), compilerOptions, include: ["*.mts"] };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    encoding: "utf8",
  });
  expect(stdout).toBe("");
  expect(status).toBe(0);
}, 60_000);
