import { readFileSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { nodeFs } from "../fs/node-fs.js";
import { keepCorrupt, keepTorn } from "../kept-copies.js";
import { RegistryFiles } from "../registry-files.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const NOW_MS = 1_700_000_000_000;
let files: RegistryFiles;
const list = (): readonly string[] => nodeFs.list(folder.at()).toSorted();

beforeEach(() => {
  files = new RegistryFiles(folder.at("servers.json"), nodeFs, undefined);
});

describe("keepCorrupt", () => {
  test("keeps the content under a dated name, whatever takes the place of the file", () => {
    writeFileSync(files.snapshot, "damaged", { mode: 0o600 });
    const name = keepCorrupt(files, files.snapshot, NOW_MS);
    expect(name).toBe("servers.json.corrupt-20231114T221320000Z");
    files.create(`${files.snapshot}.tmp-1-00`, Buffer.from("new"));
    nodeFs.rename(`${files.snapshot}.tmp-1-00`, files.snapshot);
    expect(readFileSync(folder.at(name), "utf8")).toBe("damaged");
  });

  test("one that stays where it is can be written over, as editors do: what is kept is a copy", () => {
    writeFileSync(files.snapshot, "damaged", { mode: 0o600 });
    const name = keepCorrupt(files, files.snapshot, NOW_MS, true);
    writeFileSync(files.snapshot, "mended");
    expect(readFileSync(folder.at(name), "utf8")).toBe("damaged");
    expect(statSync(folder.at(name)).mode & 0o777).toBe(0o600);
  });

  test("what is kept already is not kept twice, other content of the same time is", () => {
    writeFileSync(files.snapshot, "damaged");
    const first = keepCorrupt(files, files.snapshot, NOW_MS);
    expect(keepCorrupt(files, files.snapshot, NOW_MS + 5_000)).toBe(first);
    writeFileSync(files.snapshot, "other damage");
    expect(keepCorrupt(files, files.snapshot, NOW_MS)).toBe(`${first}-2`);
    expect(list()).toEqual(["servers.json", first, `${first}-2`]);
  });

  test("a journal has names of its own", () => {
    writeFileSync(files.log, "damaged");
    expect(keepCorrupt(files, files.log, NOW_MS)).toBe("servers.json.log.corrupt-20231114T221320000Z");
  });
});

describe("keepTorn", () => {
  test("keeps the newest ten", () => {
    for (let count = 0; count < 13; count++) keepTorn(files, Buffer.from(`torn ${count}`), NOW_MS + count * 1_000);
    const kept = list();
    expect(kept).toHaveLength(10);
    expect(kept.map((name) => readFileSync(folder.at(name), "utf8"))).toEqual(
      Array.from({ length: 10 }, (_, index) => `torn ${index + 3}`),
    );
    expect(kept[0]).toBe("servers.json.log.torn-20231114T221323000Z");
  });

  test("several of one time have a number", () => {
    for (const text of ["a", "b", "c"]) keepTorn(files, Buffer.from(text), NOW_MS);
    expect(list().map((name) => name.slice(-3))).toEqual(["00Z", "Z-2", "Z-3"]);
  });
});
