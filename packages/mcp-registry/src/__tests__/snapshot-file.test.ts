import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ensureFolder, readBytes, removeIfThere, replaceFile, resolveTarget } from "../snapshot-file.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;
const saying = (text: string): object => ({ code: "REGISTRY_IO", message: expect.stringContaining(text) as string });

describe("replaceFile", () => {
  test("puts the content there, for the owner only, and leaves nothing beside it", async () => {
    await writeFile(folder.at("f"), "old", { mode: 0o644 });
    await replaceFile(folder.at("f"), "new", folder.at("f.tmp-1"));
    expect(await readFile(folder.at("f"), "utf8")).toBe("new");
    expect(await modeOf(folder.at("f"))).toBe(0o600);
    expect(await readdir(folder.at())).toEqual(["f"]);
  });

  test("a file that cannot be replaced stays, and the temporary one goes", async () => {
    await mkdir(folder.at("f", "x"), { recursive: true });
    await expect(replaceFile(folder.at("f"), "new", folder.at("f.tmp-1"))).rejects.toMatchObject(
      saying("there is a folder in its place"),
    );
    expect(await readdir(folder.at())).toEqual(["f"]);
  });

  test("a folder that is a file is an error that says so", async () => {
    await writeFile(folder.at("d"), "");
    await expect(replaceFile(folder.at("d", "f"), "new", folder.at("d", "t"))).rejects.toMatchObject(
      saying("is a file, not a folder"),
    );
  });
});

describe("ensureFolder", () => {
  test("makes what is missing with 0700 and leaves the mode of what is there", async () => {
    await mkdir(folder.at("there"), { mode: 0o755 });
    await ensureFolder(folder.at("there", "a", "b"));
    expect(await modeOf(folder.at("there"))).toBe(0o755);
    expect(await modeOf(folder.at("there", "a"))).toBe(0o700);
    expect(await modeOf(folder.at("there", "a", "b"))).toBe(0o700);
  });

  test("several at once make one folder, and none fails", async () => {
    await Promise.all(Array.from({ length: 8 }, () => ensureFolder(folder.at("a", "b", "c", "d"))));
    expect(await modeOf(folder.at("a", "b", "c", "d"))).toBe(0o700);
  });

  test.runIf(process.platform === "linux")(
    "where nothing can be made it fails, and does not try for ever",
    async () => {
      await expect(ensureFolder("/proc/cortex-mcp/mcp")).rejects.toMatchObject(
        saying("cannot create the folder /proc/cortex-mcp/mcp: "),
      );
    },
  );

  test("a file in the way is an error", async () => {
    await writeFile(folder.at("f"), "");
    await expect(ensureFolder(folder.at("f", "g"))).rejects.toMatchObject(saying("is a file, not a folder"));
  });
});

describe("readBytes", () => {
  test("a missing file is undefined, a folder or a part of the path that is a file an error", async () => {
    expect(await readBytes(folder.at("none"))).toBeUndefined();
    expect(await readBytes(folder.at("none", "none"))).toBeUndefined();
    await expect(readBytes(folder.at())).rejects.toMatchObject(saying("not a regular file"));
    await writeFile(folder.at("f"), "");
    await expect(readBytes(folder.at("f", "g"))).rejects.toMatchObject(saying("is a file, not a folder"));
  });
});

describe("resolveTarget", () => {
  test("is the end of a chain of links, relative ones too, whether or not it exists", async () => {
    await mkdir(folder.at("dots"));
    await symlink("../dots/real", folder.at("dots", "second"));
    await symlink("dots/second", folder.at("first"));
    expect(await resolveTarget(folder.at("first"))).toBe(folder.at("dots", "real"));
    expect(await resolveTarget(folder.at("plain"))).toBe(folder.at("plain"));
  });

  test("a link inside a linked folder counts from where it really is", async () => {
    await mkdir(folder.at("deep", "er"), { recursive: true });
    await symlink("../real", folder.at("deep", "er", "link"));
    await symlink("deep/er", folder.at("short"));
    expect(await resolveTarget(folder.at("short", "link"))).toBe(folder.at("deep", "real"));
  });

  test("links in a circle are an error", async () => {
    await symlink("b", folder.at("a"));
    await symlink("a", folder.at("b"));
    await expect(resolveTarget(folder.at("a"))).rejects.toMatchObject(saying("leads back to itself"));
    await symlink("loop", folder.at("loop"));
    await expect(resolveTarget(path.join(folder.at("loop"), "x"))).rejects.toMatchObject(
      saying("leads back to itself"),
    );
  });
});

test("removeIfThere does not mind when there is nothing", async () => {
  await writeFile(folder.at("f"), "");
  await removeIfThere(folder.at("f"));
  await removeIfThere(folder.at("f"));
  await rm(folder.at("none"), { force: true });
  expect(await readdir(folder.at())).toEqual([]);
});
