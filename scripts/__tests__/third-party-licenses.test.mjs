import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { librariesOf, licensesText } from "../third-party-licenses.mjs";

describe("the licences of what is in a bundle", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "cortex-licenses-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /**
   * @param {string} file
   * @param {string | object} content
   */
  function write(file, content) {
    const at = path.join(folder, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, typeof content === "string" ? content : JSON.stringify(content));
    return at;
  }

  test("each library once, with the text of its licence and of its notice", () => {
    write("node_modules/b/package.json", { name: "b", version: "2.0.0", license: "Apache-2.0" });
    write("node_modules/b/LICENSE", "Do as you like.\n");
    write("node_modules/b/NOTICE.md", "Made by B.");
    write("node_modules/@a/a/package.json", { name: "@a/a", version: "1.0.0", license: "MIT" });
    write("node_modules/@a/a/license.txt", "Copyright A");
    const modules = ["node_modules/b/lib/x.js", "node_modules/b/lib/y.js", "node_modules/@a/a/z.js", "src/own.js"];
    expect(licensesText(librariesOf(modules.map((file) => write(file, ""))))).toBe(
      [
        "cortex-mcp contains these libraries, each under its own licence.",
        `${"-".repeat(80)}\n@a/a 1.0.0 (MIT)`,
        "Copyright A",
        `${"-".repeat(80)}\nb 2.0.0 (Apache-2.0)`,
        "Do as you like.",
        "Made by B.\n",
      ].join("\n\n"),
    );
  });

  test("a package.json that only says what kind of modules there are is no package", () => {
    write("node_modules/b/package.json", { name: "b", version: "2.0.0", license: "MIT" });
    const module = write("node_modules/b/esm/x.js", "");
    write("node_modules/b/esm/package.json", { type: "module" });
    expect(librariesOf([module])).toEqual([{ name: "b", version: "2.0.0", license: "MIT", text: "" }]);
  });

  test("a library that another one has in its own files is handed on with its licence too, and none without", () => {
    write("node_modules/b/package.json", { name: "b", version: "2.0.0", license: "MIT" });
    const code =
      "//#region ../../node_modules/.pnpm/@c+c@1.2.0/node_modules/@c/c/dist/code.js\nvar c = 1;\n//#endregion\n";
    const module = write("node_modules/b/dist/x.mjs", code);
    expect(() => librariesOf([module])).toThrow("contains @c/c, whose licence is not installed");
    write("node_modules/@c/c/package.json", { name: "@c/c", version: "1.3.0", license: "BSD-3-Clause" });
    write("node_modules/@c/c/LICENSE", "Copyright C");
    expect(librariesOf([module])).toEqual([
      { name: "@c/c", version: "1.3.0", license: "BSD-3-Clause", text: "Copyright C" },
      { name: "b", version: "2.0.0", license: "MIT", text: "" },
    ]);
  });

  test("a library that says nothing of its licence must not be handed on", () => {
    write("node_modules/b/package.json", { name: "b", version: "2.0.0" });
    const module = write("node_modules/b/x.js", "");
    expect(() => librariesOf([module])).toThrow("b 2.0.0 names no licence");
  });
});
