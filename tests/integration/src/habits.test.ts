import { describe, expect, test } from "vitest";
import { committedFiles, isTest, readManifest, readText, sourceFiles, workspacePackages } from "./workspace-files.js";

/** The habits that no linter here knows. Each of them was broken somewhere once and cost somebody a day. */

const packages = workspacePackages();
const sources = packages.flatMap(({ folder }) => sourceFiles(folder));

/** `file:line` of every line of the given files that matches. */
function matches(files: readonly string[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) =>
    readText(file)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

describe("the types are never talked out of it", () => {
  test("no double assertion", () => {
    expect(matches(sources, /\bas unknown as\b/)).toEqual([]);
  });

  test("no rule is switched off in a file: mend the code or change the rule for all", () => {
    expect(matches(sources, /(?:oxlint|eslint)-disable|@ts-(?:nocheck|ignore)/)).toEqual([]);
  });
});

test("R17: no source asks the machine for the date", () => {
  const product = sources.filter(
    (file) => !isTest(file) && !file.startsWith("benchmarks/") && !file.startsWith("packages/mcp-core/src/system/"),
  );
  expect(matches(product, /\bnew Date\(\s*\)|[^.\w]Date\(\s*\)/)).toEqual([]);
});

test("R19: an entry point is wiring, at most 60 lines: it is left out of the coverage", () => {
  const entryPoints = sources.filter((file) => /\/(?:[a-z-]+-)?main\.ts$/.test(file) && !isTest(file));
  expect(entryPoints.filter((file) => readText(file).split("\n").length > 60)).toEqual([]);
});

describe("every package", () => {
  test.each(packages)("$manifest.name answers to the commands of R20", ({ manifest }) => {
    expect(Object.keys(manifest.scripts ?? {})).toEqual(
      expect.arrayContaining(["typecheck", "lint", "test", "test:coverage"]),
    );
  });

  test.each([{ folder: ".", manifest: readManifest(".") }, ...packages])(
    "$manifest.name pins exact versions",
    ({ manifest }) => {
      const { dependencies, devDependencies, optionalDependencies } = manifest;
      const ranges = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
      expect(
        ranges.filter(([, range]) => !/^(?:workspace:\*|(?:npm:@?[\w./-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?)$/.test(range)),
      ).toEqual([]);
    },
  );
});

/** A made-up path in a test is at home with `someone`. */
test("nothing committed names a machine's path or a registry's host", () => {
  const texts = committedFiles().filter((file) => !/\.(?:png|svg|ico|gz|tgz)$/.test(file));
  expect(
    matches(texts, /(?<![\w.~:-])\/(?:work|root|home\/(?!someone\b)[a-z]+)\/[\w.]|\bregistry\.(?:npmjs|yarnpkg)\b/),
  ).toEqual([]);
});
