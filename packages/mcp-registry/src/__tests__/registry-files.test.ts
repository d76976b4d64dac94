import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { nodeFs } from "../fs/node-fs.js";
import { RegistryFiles } from "../registry-files.js";
import { verifyRegistry } from "../verify-registry.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { RuledFs } from "./fs-fixture.js";

const registry = useCacheFixture();
const FILES = ["", ".log", ".prev", ".log.1"] as const;
/** Node has no call for it. */
const MAKE_PIPE = "mkfifo";
const isRoot = process.getuid?.() === 0;
const modeOf = (file: string): number => statSync(file).mode & 0o7777;

/** A registry with all four files, closed. */
async function registryOnDisk(): Promise<void> {
  const cache = await registry.opened({ journalLimitBytes: 0 });
  for (const name of ["a", "b"]) {
    cache.upsert(server(name));
    await cache.flush();
  }
  await cache.close();
  expect(await registry.files()).toEqual(FILES.map((end) => `servers.json${end}`).toSorted());
}

/** What somebody else could have done to a file: how, and what people are told. */
const deeds: Readonly<Record<string, readonly [(file: string) => void, string]>> = {
  "a symbolic link": [
    (file) => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
    "it is a symbolic link; put the file itself there, or let CORTEX_HOME name the folder it is in",
  ],
  "a link that leads nowhere": [
    (file) => {
      rmSync(file);
      symlinkSync("nowhere", file);
    },
    "it is a symbolic link;",
  ],
  "a file that everybody may write to": [
    (file) => {
      chmodSync(file, 0o666);
    },
    "everybody may write to it; chmod 600 ",
  ],
  "a folder": [
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    "it is not a regular file; move it away",
  ],
  "a pipe": [
    (file) => {
      rmSync(file);
      execFileSync(MAKE_PIPE, [file]);
    },
    "it is not a regular file; move it away",
  ],
  "a file that is too large": [
    (file) => {
      truncateSync(file, 64 * 1024 * 1024 + 1);
    },
    "it has 67108865 bytes, and a registry at most 67108864; move it away",
  ],
  ...(isRoot
    ? {
        "a file of another user": [
          (file: string) => {
            chownSync(file, 4242, 4242);
          },
          "it belongs to another user, who could make this one run commands; chown it to yourself",
        ] as const,
      }
    : {}),
};

describe("what is not to be trusted is refused (R12)", () => {
  const cases = Object.entries(deeds).flatMap(([what, [deed, reason]]) =>
    FILES.map((end) => [what, `servers.json${end}`, deed, reason] as const),
  );

  test.each(cases)("%s in the place of %s", async (_, name, deed, reason) => {
    await registryOnDisk();
    const file = registry.folder.at("mcp", name);
    deed(file);
    const error = {
      code: "REGISTRY_IO",
      message: expect.stringContaining(`${file} is refused: ${reason}`) as string,
    };
    await expect(registry.opened()).rejects.toMatchObject(error);
    expect(() => verifyRegistry(registry.file)).toThrow(expect.objectContaining(error) as Error);
  });

  test("a file of another user than the one who runs it, or of root", async () => {
    await registryOnDisk();
    const own = process.getuid?.() ?? 0;
    if (isRoot) chownSync(registry.file, 4242, 4242);
    expect(() => new RegistryFiles(registry.file, nodeFs, own + 1).read(registry.file, 1e6)).toThrow(/another user/);
    if (isRoot) chownSync(registry.file, 0, 0);
    expect(new RegistryFiles(registry.file, nodeFs, isRoot ? 4242 : own).read(registry.file, 1e6)).toBeDefined();
    expect(new RegistryFiles(registry.file, nodeFs, undefined).read(registry.file, 1e6)).toBeDefined();
  });

  test("a file that takes the place of the one that was looked at, before it is opened", async () => {
    await registryOnDisk();
    writeFileSync(`${registry.file}.evil`, "{}", { mode: 0o666 });
    chmodSync(`${registry.file}.evil`, 0o666);
    const swap = (file: string): void => {
      renameSync(`${file}.evil`, file);
    };
    registry.fs.before("open", /^servers\.json$/, swap, 1);
    await expect(registry.opened()).rejects.toMatchObject({ message: expect.stringContaining("everybody") as string });
  });

  test.each([
    ["itself", (mcp: string) => mcp],
    [
      "at the end of a link",
      (mcp: string) => {
        renameSync(mcp, `${mcp}.real`);
        symlinkSync(`${mcp}.real`, mcp);
        return `${mcp}.real`;
      },
    ],
  ])("a folder that everybody may change, %s: it is read, and nothing is written", async (_, made) => {
    await registryOnDisk();
    const mcp = registry.folder.at("mcp");
    const real = made(mcp);
    chmodSync(real, 0o777);
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["a", "b"]);
    const refusal = `${mcp} is refused: everybody may change what is in it; chmod o-w ${mcp}`;
    expect([cache.health, cache.problems]).toEqual(["degraded", [refusal]]);
    expect(() => cache.upsert(server("c"))).toThrow(
      expect.objectContaining({ code: "REGISTRY_IO", message: refusal }) as Error,
    );
    chmodSync(real, 0o1777);
    cache.upsert(server("c"));
    await cache.close();
    expect(await registry.namesAfterReopening()).toEqual(["a", "b", "c"]);
  });

  test("a folder that is a file", async () => {
    writeFileSync(registry.folder.at("mcp"), "");
    await expect(registry.opened()).rejects.toMatchObject({ code: "REGISTRY_IO" });
  });
});

describe("whose the files are (R12)", () => {
  test("folders are made for their owner only, files too, whatever the umask and whoever made them before", async () => {
    const before = process.umask(0o022);
    try {
      const file = registry.folder.at("deep", "er", "servers.json");
      const cache = await registry.opened({ registryPath: file, journalLimitBytes: 0 });
      cache.upsert(server("a"));
      const folder = path.dirname(file);
      chmodSync(path.join(folder, "servers.json.log"), 0o644);
      await cache.close();
      writeFileSync(file, "{");
      chmodSync(file, 0o644);
      const again = await registry.opened({ registryPath: file, journalLimitBytes: 0 });
      again.upsert(server("b"));
      await again.close();
      expect([modeOf(folder), modeOf(path.dirname(folder))]).toEqual([0o700, 0o700]);
      const modes = (await readdir(folder)).map((name) => [name, modeOf(path.join(folder, name))]);
      expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
      expect(modes).toHaveLength(3);
    } finally {
      process.umask(before);
    }
  });

  test("a journal that others may read is made private when it is opened", async () => {
    await registryOnDisk();
    chmodSync(`${registry.file}.log`, 0o644);
    const cache = await registry.opened();
    expect(modeOf(`${registry.file}.log`)).toBe(0o600);
    await cache.close();
  });

  test("a servers.json that others may read is private once it is written", async () => {
    await registry.writeServers({ servers: [server("a")] });
    chmodSync(registry.file, 0o644);
    const cache = await registry.opened();
    cache.upsert(server("b"));
    await cache.close();
    expect([modeOf(registry.file), modeOf(`${registry.file}.prev`)]).toEqual([0o600, 0o600]);
  });
});

describe("RegistryFiles", () => {
  const files = (fs = new RuledFs()): [RegistryFiles, RuledFs] => [new RegistryFiles(registry.file, fs, undefined), fs];

  test("read: what is not there, or went a moment ago, is undefined; what cannot be read is an error", async () => {
    const [none] = files();
    expect(none.read(none.snapshot, 10)).toBeUndefined();
    await registry.writeServers({});
    const [vanishing, fs] = files();
    fs.before("open", /./, (file) => rmSync(file), 1);
    expect(vanishing.read(vanishing.snapshot, 10)).toBeUndefined();
    await registry.writeServers({});
    fs.refuse("read", /./, "EIO", 1);
    expect(() => vanishing.read(vanishing.snapshot, 10)).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    fs.before("read", /./, (file) => truncateSync(file, 1), 1);
    expect(vanishing.read(vanishing.snapshot, 10)?.bytes.toString()).toBe("{");
    fs.refuse("stat", /./, "EACCES", 1);
    expect(() => vanishing.read(vanishing.snapshot, 10)).toThrow(/not permitted|permission/i);
  });

  test("ensureFolder: two that make it at once, a file in the way, nowhere to make it", async () => {
    const [made, fs] = files();
    fs.before("makeFolder", /mcp/, (folder) => mkdirSync(folder), 1);
    made.ensureFolder();
    await made.entries.sync();
    expect(fs.count("sync", /./)).toBe(0);
    writeFileSync(registry.folder.at("file"), "");
    const inFile = new RegistryFiles(registry.folder.at("file", "x", "servers.json"), nodeFs, undefined);
    expect(() => inFile.ensureFolder()).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    const nowhere = new RegistryFiles("/proc/cortex-mcp/x/servers.json", nodeFs, undefined);
    expect(() => nowhere.ensureFolder()).toThrow(/cannot create the folder .*ENOENT/);
  });

  test("linkOver and discard leave nothing behind, whatever fails", async () => {
    await registry.writeServers({});
    chmodSync(registry.file, 0o600);
    const [linking, fs] = files();
    for (const call of ["link", "rename"] as const) {
      fs.refuse(call, /./, "EIO", 1);
      expect(() => linking.linkOver(linking.snapshot, linking.prev)).toThrow("EIO");
    }
    linking.linkOver(linking.snapshot, linking.prev);
    linking.linkOver(linking.snapshot, linking.prev);
    expect((await stat(linking.prev)).ino).toBe((await stat(linking.snapshot)).ino);
    fs.refuse("link", /./, "EMLINK");
    linking.linkOver(linking.snapshot, linking.prev);
    expect((await stat(linking.prev)).ino).not.toBe((await stat(linking.snapshot)).ino);
    linking.linkOver(linking.log, linking.log1);
    linking.discard(linking.log);
    expect(await registry.files()).toEqual(["servers.json", "servers.json.prev"]);
  });

  test("entries: after a failure their sync rejects for ever, until new files are there", async () => {
    const [syncing, fs] = files();
    syncing.ensureFolder();
    fs.refuse("sync", /./, "EIO", 1);
    await expect(syncing.entries.sync()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await expect(syncing.entries.sync()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    syncing.entries.renewed();
    await syncing.entries.sync();
    const synced = fs.count("sync", /./);
    await syncing.entries.sync();
    expect(fs.count("sync", /./)).toBe(synced);
  });
});
