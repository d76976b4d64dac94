// Which libraries are in a bundle, and what their licences ask to be handed on with them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** @typedef {{ name: string, version: string, license: string, text: string }} Library */

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i;

/**
 * The folder of the package that a module belongs to: the nearest one above it whose `package.json` has a name and a version. Packages put nameless ones
 * below that, to say what kind of modules there are.
 *
 * @param {string} module its path
 * @returns {{ folder: string, manifest: { name: string, version: string, license?: string } }}
 * @throws {Error} when there is none
 */
function packageOf(module) {
  for (let folder = path.dirname(module); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, "package.json");
    if (!existsSync(file)) continue;
    /** @type {{ name?: string, version?: string, license?: string }} */
    const { name, version, license } = JSON.parse(readFileSync(file, "utf8"));
    if (name !== undefined && version !== undefined)
      return { folder, manifest: { name, version, ...(license === undefined ? {} : { license }) } };
  }
  throw new Error(`${module} belongs to no package`);
}

/** How a bundler names, in a comment of its own, a file that it put into another. */
const PUT_IN = /^\/\/(?:#region)?[ \t]+\S*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/\S*$/gm;

/** The names of the packages that a library has in its own files. @param {string} module its path */
function putInto(module) {
  return new Set([...readFileSync(module, "utf8").matchAll(PUT_IN)].flatMap(([, name]) => name ?? []));
}

/**
 * The folder of a package as it would be found from a module, whether that may import it or not.
 *
 * @param {string} name
 * @param {string} module
 * @throws {Error} when there is none: its licence is to be handed on, and only its own package has that
 */
function installed(name, module) {
  for (let folder = path.dirname(module); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const at = path.join(folder, "node_modules", name);
    if (existsSync(path.join(at, "package.json"))) return at;
  }
  throw new Error(`${module} contains ${name}, whose licence is not installed`);
}

/**
 * The libraries that modules of a bundle come from, by name, and those that these have in their own files: of such a one the version that is installed here,
 * which need not be the one in the file.
 * *
 * @param {readonly string[]} modules paths of files; what is not below a `node_modules` is ours, and no library
 * @returns {readonly Library[]}
 * @throws {Error} when one of them says nothing of its licence: what nobody allowed to be copied must not be
 */
export function librariesOf(modules) {
  /** @type {Map<string, Library>} */
  const found = new Map();
  /** @param {string} folder @param {{ name: string, version: string, license?: string }} manifest */
  const add = (folder, { name, version, license }) => {
    if (found.has(`${name} ${version}`)) return;
    const texts = readdirSync(folder)
      .filter((file) => LICENSE_FILE.test(file))
      .toSorted()
      .map((file) => readFileSync(path.join(folder, file), "utf8").trim());
    if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} names no licence`);
    found.set(`${name} ${version}`, { name, version, license: license ?? "see below", text: texts.join("\n\n") });
  };
  for (const module of modules.filter((each) => each.includes(`${path.sep}node_modules${path.sep}`))) {
    const { folder, manifest } = packageOf(module);
    add(folder, manifest);
    for (const name of putInto(module)) {
      const inner = packageOf(path.join(installed(name, module), "package.json"));
      add(inner.folder, inner.manifest);
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The text that is shipped beside the bundle.
 *
 * @param {readonly Library[]} libraries
 */
export function licensesText(libraries) {
  const head = "cortex-mcp contains these libraries, each under its own licence.";
  const parts = libraries.map(({ name, version, license, text }) =>
    `${"-".repeat(80)}\n${name} ${version} (${license})\n\n${text}`.trimEnd(),
  );
  return `${[head, ...parts].join("\n\n")}\n`;
}
