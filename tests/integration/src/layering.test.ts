import path from "node:path";
import { describe, expect, test } from "vitest";
import { importSpecifiers, packageOf } from "./import-specifiers.js";
import {
  isTest,
  readManifest,
  readText,
  ROOT,
  sourceFiles,
  workspacePackages,
  type Manifest,
} from "./workspace-files.js";

/**
 * The arrows of the design: which packages of ours each may use. They point down only. A new package has no arrows until
 * somebody writes them here.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "@cortex-os/mcp-core": [],
  "@cortex-os/mcp-registry": ["@cortex-os/mcp-core"],
  "@cortex-os/mcp-bridge": ["@cortex-os/mcp-core"],
  "@cortex-os/protocol": ["@cortex-os/mcp-core"],
  "@cortex-os/mcp": ["@cortex-os/mcp-bridge", "@cortex-os/mcp-registry", "@cortex-os/protocol", "@cortex-os/mcp-core"],
  "@cortex-os/fixture-server": ["@cortex-os/mcp-core"],
  "cortex-mcp": [
    "@cortex-os/mcp",
    "@cortex-os/mcp-bridge",
    "@cortex-os/mcp-registry",
    "@cortex-os/protocol",
    "@cortex-os/mcp-core",
  ],
};

/** Not below anything: they measure and test whatever there is. */
const OBSERVERS = new Set([
  "@cortex-os/benchmarks",
  "@cortex-os/conformance-tests",
  "@cortex-os/integration-tests",
  "@cortex-os/published-servers",
  "@cortex-os/registry-tests",
]);

/** Test doubles and examples, which no published package may need at run time. */
const DEVELOPMENT_ONLY = ["@cortex-os/fixture-server"];

/** What the app's example and its tests start, and no code of ours imports. */
const STARTED_ONLY = /^@modelcontextprotocol\/server-/;

/** Where `mcp-core` may touch the machine: clocks, timers, chance. */
const SYSTEM_FOLDER = "packages/mcp-core/src/system/";

/** The tools that tests import from the root. */
const TEST_TOOLS = ["fast-check", "vitest"];

const packages = workspacePackages();
const ours = new Set(packages.map(({ manifest }) => manifest.name));
const layered = packages.filter(({ manifest }) => !OBSERVERS.has(manifest.name));

const isBundled = ({ files }: Manifest): boolean => files?.includes("bundle") === true;

/** `file → specifier` for each import of a package's sources that `wrong` picks. */
function offenders(folder: string, wrong: (specifier: string, file: string) => boolean): readonly string[] {
  return sourceFiles(folder).flatMap((file) =>
    importSpecifiers(readText(file))
      .filter((specifier) => wrong(specifier, file))
      .map((specifier) => `${file} → ${specifier}`),
  );
}

/** The names of the packages that a TypeScript project of a package refers to, itself included. */
function references(folder: string, project: string): readonly string[] {
  const config = JSON.parse(readText(`${folder}/${project}`)) as { references?: readonly { path: string }[] };
  return (config.references ?? []).map((reference) => readManifest(path.join(folder, reference.path)).name);
}

describe("the extraction of imports", () => {
  test.each([
    ['import { a } from "x";', ["x"]],
    ['import type { A } from "@s/x/deep";', ["@s/x/deep"]],
    ['import a, {\n  b,\n  c,\n} from "./y.js";', ["./y.js"]],
    ["export * from \"./z.js\"; export { q } from 'w';", ["./z.js", "w"]],
    ['import "side-effect";', ["side-effect"]],
    ['const m = await import("lazy");', ["lazy"]],
    ['type T = import("typed").T;', ["typed"]],
    ['/** import { a } from "comment"; */\n// import "comment"\nconst url = "http://h"; import "real";', ["real"]],
    ['export const from = "not an import";', []],
  ])("%s", (source, specifiers) => {
    expect(importSpecifiers(source)).toEqual(specifiers);
  });

  test("finds the package of a specifier", () => {
    expect(["@s/x/deep", "@s/x", "x/deep", "x"].map(packageOf)).toEqual(["@s/x", "@s/x", "x", "x"]);
  });
});

test("the workspace root depends on no package of ours, or any package could import any other", () => {
  const { dependencies, devDependencies } = readManifest(".");
  expect(Object.keys({ ...dependencies, ...devDependencies }).filter((name) => ours.has(name))).toEqual([]);
});

test("every package has its place among the arrows", () => {
  expect(layered.map(({ manifest }) => manifest.name).toSorted()).toEqual(Object.keys(ARROWS).toSorted());
});

test.each(layered.filter(({ manifest }) => isBundled(manifest)))(
  "$manifest.name has nothing installed beside its bundle: it would be there twice",
  ({ manifest }) => {
    expect(manifest.dependencies).toBeUndefined();
  },
);

describe.each(layered)("$manifest.name", ({ folder, manifest }) => {
  const installed = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  });
  const declared = [...installed, ...Object.keys(manifest.devDependencies ?? {})];
  // What is published as a bundle brings what it needs: it is in there.
  const bundled = declared.filter((name) => !DEVELOPMENT_ONLY.includes(name) && !STARTED_ONLY.test(name));
  const runtime = isBundled(manifest) ? bundled : installed;
  const below = ARROWS[manifest.name] ?? [];

  test("depends only on what lies below it", () => {
    expect(runtime.filter((name) => ours.has(name) && !below.includes(name))).toEqual([]);
    const forTests = new Set([...below, ...DEVELOPMENT_ONLY]);
    expect(declared.filter((name) => ours.has(name) && !forTests.has(name))).toEqual([]);
  });

  test("builds after what it depends on, and is tested after what its tests need", () => {
    const built = references(folder, "tsconfig.json");
    const tested = references(folder, "tsconfig.test.json");
    expect(built).toEqual(expect.arrayContaining(runtime.filter((name) => ours.has(name))));
    expect(tested).toEqual(expect.arrayContaining(declared.filter((name) => ours.has(name))));
    expect([...built, ...tested].filter((name) => name !== manifest.name && !declared.includes(name))).toEqual([]);
  });

  test("imports no file of another package by path", () => {
    const inside = path.join(ROOT, folder, "src") + path.sep;
    expect(
      offenders(folder, (specifier, file) => {
        if (specifier.startsWith("/") || specifier.startsWith("file:")) return true;
        return specifier.startsWith(".") && !path.resolve(ROOT, path.dirname(file), specifier).startsWith(inside);
      }),
    ).toEqual([]);
  });

  test("imports only what its package.json declares: at run time its dependencies, in tests also the others", () => {
    const mayUse = (file: string): readonly string[] => {
      if (isTest(file)) return [...declared, ...TEST_TOOLS, manifest.name];
      // What runs from a checkout only (private packages, the example) is never installed without its devDependencies.
      const checkoutOnly = manifest.private === true || file.startsWith(`${folder}/src/example`);
      return checkoutOnly ? declared : runtime;
    };
    expect(
      offenders(folder, (specifier, file) => {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) return false;
        return !mayUse(file).includes(packageOf(specifier));
      }),
    ).toEqual([]);
  });

  test("imports no test from the product, and no helper of tests but in tests", () => {
    expect(
      offenders(folder, (specifier, file) => {
        if (isTest(file) || file.startsWith("packages/mcp-core/src/testing/")) return false;
        return specifier.includes("__tests__") || /(^|\/)testing(\/|$)/.test(specifier);
      }),
    ).toEqual([]);
  });
});

describe("@cortex-os/mcp-core", () => {
  test("does no I/O", () => {
    const pure = new Set(["node:buffer", "node:crypto", "node:string_decoder", "node:util"]);
    expect(
      offenders("packages/mcp-core", (specifier, file) => {
        if (isTest(file) || file.startsWith(SYSTEM_FOLDER)) return false;
        return specifier.startsWith("node:") && !pure.has(specifier);
      }),
    ).toEqual([]);
  });

  test("keeps the wire folder pure: nothing of the machine, no clock", () => {
    expect(
      offenders("packages/mcp-core", (specifier, file) => {
        if (isTest(file) || !file.startsWith("packages/mcp-core/src/wire/")) return false;
        return specifier.includes("/system/");
      }),
    ).toEqual([]);
  });
});

describe("@cortex-os/mcp-bridge", () => {
  const SDK = "@modelcontextprotocol/client";
  const OAUTH = "packages/mcp-bridge/src/oauth/";

  test("keeps the SDK to the folder of OAuth", () => {
    expect(
      offenders("packages/mcp-bridge", (specifier, file) => {
        if (isTest(file) || file.startsWith(OAUTH)) return false;
        return packageOf(specifier) === SDK;
      }),
    ).toEqual([]);
  });

  test("does not load the SDK before an upstream asks for authorization: from its entry no chain of plain imports leads there (decision 0020)", () => {
    const loaded = loadedBy("packages/mcp-bridge/src/index.ts");
    expect(loaded.files).toContain(`${OAUTH}upstream-oauth.ts`);
    expect(loaded.packages).not.toContain(SDK);
  });
});

/** What a module loads before any of its code asks for more: plain imports, and not those of types. */
function loadedBy(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([entry]);
  const bare = new Set<string>();
  for (const file of files) {
    for (const specifier of importSpecifiers(withoutLazyImports(readText(file)))) {
      if (specifier.startsWith(".")) files.add(path.join(path.dirname(file), specifier).replace(/\.js$/, ".ts"));
      else bare.add(packageOf(specifier));
    }
  }
  return { files: [...files], packages: [...bare] };
}

const withoutLazyImports = (source: string): string =>
  source.replace(/\bimport\s*\([^)]*\)/g, "").replace(/\b(?:import|export)\s+type\b[^;]*;/g, "");
