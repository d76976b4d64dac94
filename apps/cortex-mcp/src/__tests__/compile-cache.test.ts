import { expect, test, vi } from "vitest";
import { keepCompiled } from "../compile-cache.js";

test.each([
  [{ XDG_CACHE_HOME: "/var/cache/someone", HOME: "/home/someone" }, "/var/cache/someone/cortex-mcp/compiled"],
  [{ XDG_CACHE_HOME: "", HOME: "/home/someone" }, "/home/someone/.cache/cortex-mcp/compiled"],
])("R18: what was compiled is kept in a folder of the user's own: %j", (env, folder) => {
  const enableCompileCache = vi.fn<(folder: string) => unknown>();
  keepCompiled({ enableCompileCache }, env);
  expect(enableCompileCache.mock.calls).toEqual([[folder]]);
});

test.each([{}, { HOME: "" }, { HOME: "somewhere" }, { XDG_CACHE_HOME: "cache" }])(
  "nothing is kept where nobody knows whose folder it would be: %j",
  (env) => {
    const enableCompileCache = vi.fn<(folder: string) => unknown>();
    keepCompiled({ enableCompileCache }, env);
    expect(enableCompileCache).not.toHaveBeenCalled();
  },
);

test("a Node that keeps nothing is as good as before", () => {
  expect(() => keepCompiled({}, { HOME: "/home/someone" })).not.toThrow();
});
