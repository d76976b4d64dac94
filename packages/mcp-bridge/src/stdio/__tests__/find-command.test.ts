import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { findCommand } from "../find-command.js";
import { withFolder } from "./support.js";

async function executable(file: string): Promise<string> {
  await writeFile(file, "#!/bin/sh\n");
  await chmod(file, 0o755);
  return file;
}

describe("finding a command before it is spawned", () => {
  test("takes the first executable file of that name on PATH, as an absolute path", () =>
    withFolder(async (folder) => {
      await mkdir(path.join(folder, "a", "tool"), { recursive: true });
      await mkdir(path.join(folder, "b"));
      await writeFile(path.join(folder, "b", "tool"), "not executable");
      await mkdir(path.join(folder, "c"));
      const tool = await executable(path.join(folder, "c", "tool"));
      const searchPath = ["a", "b", "c"].map((name) => path.join(folder, name)).join(":");
      expect(await findCommand("tool", { path: searchPath, cwd: folder })).toBe(tool);
      expect(await findCommand("tool", { path: "a:b:c", cwd: folder })).toBe(tool);
    }));

  test("takes a name with a slash relative to the working folder", () =>
    withFolder(async (folder) => {
      const tool = await executable(path.join(folder, "tool"));
      expect(await findCommand("./tool", { path: "", cwd: folder })).toBe(tool);
      expect(await findCommand(tool, { path: "", cwd: "/" })).toBe(tool);
    }));

  test.each([
    [
      "a name that is on no PATH",
      "no-such-command",
      'command "no-such-command" was not found on PATH: install it, or give its full path',
    ],
    ["no name", "", 'command "" was not found on PATH'],
    ["a path to nothing", "./no/such", 'command "./no/such" does not exist or is not executable'],
    ["a folder", "./", 'command "./" does not exist or is not executable'],
  ])("says what to do about %s", (_, command, message) =>
    withFolder(async (folder) => {
      const finding = findCommand(command, { path: "/bin", cwd: folder });
      await expect(finding).rejects.toMatchObject({
        code: "UPSTREAM_UNAVAILABLE",
        message: expect.stringContaining(message),
      });
    }),
  );

  test.each(["gone", "file"])("says that the working folder is none: %s", (name) =>
    withFolder(async (folder) => {
      await writeFile(path.join(folder, "file"), "");
      const finding = findCommand("sh", { path: "/bin", cwd: path.join(folder, name) });
      await expect(finding).rejects.toThrow(/working folder ".*" does not exist/);
    }),
  );
});
