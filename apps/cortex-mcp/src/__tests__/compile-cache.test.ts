import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keepCompiled } from "../compile-cache.js";

describe("R18: what was compiled", () => {
  let base: string;
  let kept: string;
  beforeEach(async () => {
    base = await mkdtemp(path.join(tmpdir(), "cortex-compiled-"));
    kept = path.join(base, "cortex-mcp", "compiled");
  });
  afterEach(() => rm(base, { recursive: true }));

  const keptWith = (env: Readonly<Record<string, string | undefined>>): readonly unknown[][] => {
    const enableCompileCache = vi.fn<(folder: string) => unknown>();
    keepCompiled({ enableCompileCache }, env);
    return enableCompileCache.mock.calls;
  };

  test("is kept in the folder for such things, or in the one of the home", () => {
    expect(keptWith({ XDG_CACHE_HOME: base, HOME: "/home/someone" })).toEqual([[kept]]);
    expect(keptWith({ XDG_CACHE_HOME: "", HOME: base })).toEqual([
      [path.join(base, ".cache", "cortex-mcp", "compiled")],
    ]);
  });

  test("is kept where nobody else may write, whatever the umask: it is run", async () => {
    keptWith({ XDG_CACHE_HOME: base });
    expect((await stat(kept)).mode & 0o777).toBe(0o700);
    await chmod(kept, 0o775);
    expect(keptWith({ XDG_CACHE_HOME: base })).toEqual([]);
  });

  test("is not kept where no folder can be", async () => {
    await writeFile(path.join(base, "cortex-mcp"), "");
    expect(keptWith({ XDG_CACHE_HOME: base })).toEqual([]);
  });

  test.each([{}, { HOME: "" }, { HOME: "somewhere" }, { XDG_CACHE_HOME: "cache" }])(
    "is not kept where nobody knows whose folder it would be: %j",
    (env) => {
      expect(keptWith(env)).toEqual([]);
    },
  );

  test("a Node that keeps nothing is as good as before, and gets no folder", async () => {
    keepCompiled({}, { XDG_CACHE_HOME: base });
    await expect(stat(kept)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
