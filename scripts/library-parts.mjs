// Some libraries have one CommonJS entry that loads all they have; no bundler can leave out what nobody uses of it. So the
// bundle takes from their files what we import by name. A test holds that these are what the entry gives.

/** Of each library: the file of each name, and what its entry does beside collecting names. */
export const PARTS = {
  "prom-client": {
    files: {
      Counter: "lib/counter.js",
      Gauge: "lib/gauge.js",
      Histogram: "lib/histogram.js",
      Registry: "lib/registry.js",
    },
    more: `export const register = Registry.globalRegistry;`,
  },
  undici: {
    files: {
      Agent: "lib/dispatcher/agent.js",
      Pool: "lib/dispatcher/pool.js",
      api: "lib/api/index.js",
      Dispatcher: "lib/dispatcher/dispatcher.js",
    },
    more: `Object.assign(Dispatcher.prototype, api);`,
  },
};

/** @typedef {keyof typeof PARTS} Library */

/** @param {string} name @returns {name is Library} */
const isLibrary = (name) => Object.hasOwn(PARTS, name);

const PREFIX = "parts-of:";

/**
 * Puts a module with the parts of a library in the place of its entry, where names are imported from it. An `import()` gets the whole.
 *
 * @returns {import("rolldown").Plugin}
 */
export function libraryParts() {
  return {
    name: "library-parts",
    async resolveId(source, importer, { kind }) {
      if (kind !== "import-statement" || !isLibrary(source)) return null;
      const entry = await this.resolve(source, importer, { skipSelf: true });
      return entry === null ? null : `${PREFIX}${source}:${entry.id}`;
    },
    load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const [name = "", entry = ""] = id.slice(PREFIX.length).split(/:(.*)/s);
      if (!isLibrary(name)) return null;
      const folder = entry.slice(0, entry.lastIndexOf("/index.js"));
      const { files, more } = PARTS[name];
      const lines = Object.entries(files).map(
        ([part, file]) => `import ${part} from ${JSON.stringify(`${folder}/${file}`)};\nexport { ${part} };`,
      );
      // Not `false`: the module does something beside exporting.
      return { code: [...lines, more].join("\n"), moduleSideEffects: name === "undici" };
    },
  };
}
