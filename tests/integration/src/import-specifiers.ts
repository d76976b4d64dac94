/** Comments, so that an example in one is not taken for an import. Line comments only where they stand alone: `//` also
 * occurs in every URL. */
const COMMENT = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`, `import.meta.resolve("x")`. */
const SPECIFIER =
  /(?:\b(?:import|export)\b[^"'`;()]*?\bfrom\s*|\bimport\s*|\bimport\s*\(\s*|\bimport\.meta\.resolve\(\s*)["']([^"']+)["']/g;

/** The module specifiers that a TypeScript source names, in order, repeats included. */
export function importSpecifiers(source: string): readonly string[] {
  return [...source.replace(COMMENT, "").matchAll(SPECIFIER)].flatMap(([, specifier]) => specifier ?? []);
}

/** The package behind a bare specifier: `@scope/name/deep` → `@scope/name`, `name/deep` → `name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
