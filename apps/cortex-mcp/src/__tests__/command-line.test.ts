import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { run } from "../run.js";
import { createTestIo } from "./test-io.js";

describe("the command line itself", () => {
  test("prints its version and its help, and help when it is given nothing", async () => {
    const io = await createTestIo();
    expect(await io.run("--version")).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/), err: "" });
    const help = await io.run("--help");
    expect(help.code).toBe(0);
    for (const word of [
      "serve",
      "stdio",
      "add",
      "add-json",
      "remove",
      "list",
      "get",
      "enable",
      "disable",
      "tools",
      "call",
      "status",
    ]) {
      expect(help.out).toContain(`\n  ${word} `);
    }
    expect(await io.run()).toEqual(help);
    expect((await io.run("add", "--help")).out).toContain("cortex-mcp add memory -e MEMORY_FILE_PATH=");
    expect((await io.run("help", "config")).out).toContain("Usage: cortex-mcp config validate|schema|path");
  });

  test("a bug of ours exits with 70 and shows its stack, also with --json", async () => {
    const io = await createTestIo();
    const broken = { ...io, readInput: () => Promise.reject(new TypeError("planted")) };
    expect(await run(["call", "x", "-"], broken)).toBe(70);
    expect(io.errLines).toEqual([
      expect.stringMatching(/^cortex-mcp: this is a bug in cortex-mcp, please report it: TypeError: planted\n {4}at /),
    ]);
    expect(await run(["call", "x", "-", "--json"], broken)).toBe(70);
    expect(JSON.parse(io.outLines.join("\n"))).toEqual({ error: { code: "INTERNAL", message: "internal error" } });
    const thrown = { ...io, readInput: vi.fn<() => Promise<string>>().mockRejectedValue("a string") };
    expect(await run(["call", "x", "-"], thrown)).toBe(70);
    expect(io.errLines.at(-1)).toBe("cortex-mcp: this is a bug in cortex-mcp, please report it: a string");
  });

  test("what the system refuses is told in one line and is no bug", async () => {
    const io = await createTestIo();
    await writeFile(io.home, "a file where the home should be");
    const config = path.join(io.cwd, "config.json");
    await writeFile(config, "{}");
    expect(await io.run("serve", "--port", "0", "--config", config)).toMatchObject({
      code: 1,
      err: `cortex-mcp: cannot create the folder ${path.join(io.home, "mcp")}: a part of its path is a file, not a folder: move that file away`,
    });
    expect(await io.run("list")).toMatchObject({ code: 1, err: expect.stringMatching(/^cortex-mcp: .+$/) });
  });
});
