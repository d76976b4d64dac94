import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { floorOf } from "@cortex-os/protocol";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { fileServiceMapStore, memoryServiceMapStore } from "../service-map-store.js";
import type { ServiceMapStore, StoredServiceMaps } from "../stored-service-maps.js";
import { incoming, START, storedMap } from "./map-set-up.js";
import { useTempFolder } from "./temp-folder.js";

const at = useTempFolder();
const file = (): string => at("state", "service-map.json");
const accepted = incoming();
const STATE: StoredServiceMaps = {
  floor: floorOf(accepted.map),
  accepted: accepted.stored,
  previous: [],
  savedAtMs: START,
};

function open(logger = new RecordingLogger(), of = file()): ServiceMapStore {
  return fileServiceMapStore({ file: of, logger, clock: new ManualTime(START) });
}

describe.each([
  ["in a file", () => open()],
  ["in memory", () => memoryServiceMapStore()],
])("a store of service maps %s", (_, make) => {
  test("gives back what was put in, and nothing before", async () => {
    const store = make();
    expect(await store.load()).toBeUndefined();
    expect(await store.update(() => STATE)).toEqual(STATE);
    expect(await store.load()).toEqual(STATE);
  });

  test("hands what is stored to each change, one after the other", async () => {
    const store = make();
    const count = async (): Promise<StoredServiceMaps> =>
      store.update((now) => ({ previous: [], savedAtMs: (now?.savedAtMs ?? 0) + 1 }));
    await Promise.all(Array.from({ length: 20 }, count));
    expect(await store.load()).toEqual({ previous: [], savedAtMs: 20 });
  });

  test("stores nothing when the change throws", async () => {
    const store = make();
    await store.update(() => STATE);
    const refusing = store.update(() => {
      throw new Error("no");
    });
    await expect(refusing).rejects.toThrow("no");
    expect(await store.load()).toEqual(STATE);
  });
});

describe("the file of the service maps (R4)", () => {
  test("is the owner's alone: 0600 in folders of 0700", async () => {
    await open().update(() => STATE);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file()))).mode & 0o777).toBe(0o700);
    expect(await readdir(path.dirname(file()))).toEqual(["service-map.json"]);
  });

  test("is not written when nothing changes", async () => {
    await open().update(() => STATE);
    const { ino } = await stat(file());
    await open().update((now) => now ?? STATE);
    expect((await stat(file())).ino).toBe(ino);
  });

  test("that is damaged is kept aside under a dated name, and what is sound in it is used", async () => {
    await open().update(() => ({ ...STATE, held: storedMap() }));
    await truncate(file(), (await stat(file())).size - 10);
    const damaged = await readFile(file());
    const logger = new RecordingLogger();
    const store = open(logger);
    expect((await store.load())?.floor).toEqual(STATE.floor);
    expect(logger.messages("error")[0]).toContain("The stored service map is damaged (the JSON");
    const keptAs = logger.lines[0]?.fields["keptAs"];
    expect(keptAs).toBe(`${file()}.corrupt-20231114T221320000Z`);
    expect(logger.lines[0]?.fields["floorKept"]).toBe(true);
    await store.update((now) => ({
      previous: [],
      savedAtMs: 1,
      ...(now?.floor === undefined ? {} : { floor: now.floor }),
    }));
    expect(await open().load()).toEqual({ floor: STATE.floor, previous: [], savedAtMs: 1 });
    expect(await readFile(String(keptAs))).toEqual(damaged);
  });

  test("that holds nothing readable is kept aside too, once, and counts as none", async () => {
    await mkdir(path.dirname(file()));
    await writeFile(file(), "\u0000".repeat(100));
    const store = open();
    expect(await store.load()).toBeUndefined();
    expect(await store.load()).toBeUndefined();
    await store.update(() => STATE);
    expect(await store.load()).toEqual(STATE);
    expect((await readdir(path.dirname(file()))).toSorted()).toEqual([
      "service-map.json",
      "service-map.json.corrupt-20231114T221320000Z",
    ]);
  });

  test("loses the temporary files that killed gateways left, and nothing else, with the next change", async () => {
    await open().update(() => STATE);
    const folder = path.dirname(file());
    const [hex, other] = ["0123456789abcdef", "fedcba9876543210"];
    const others = [
      `service-map.json-${hex}.tmp.kept`,
      `other.json-${hex}.tmp`,
      `service-map.json.corrupt-1-${hex}.tmp`,
    ];
    const left = [`service-map.json-${hex}.tmp`, `service-map.json.of-${other}-${hex}.tmp`];
    for (const name of [...left, ...others]) await writeFile(path.join(folder, name), "half a m");
    await open().update((now) => now ?? STATE);
    expect(await readdir(folder)).toHaveLength(6);
    await open().update(() => ({ previous: [], savedAtMs: 1 }));
    expect((await readdir(folder)).toSorted()).toEqual(["service-map.json", ...others].toSorted());
    // A folder cannot be removed like that, which must not matter.
    await mkdir(path.join(folder, left[0] ?? ""));
    expect(await open().update(() => STATE)).toEqual(STATE);
    for (const name of [...left, ...others]) await rm(path.join(folder, name), { force: true, recursive: true });
  });

  test("that is damaged is told of once, not whenever it is read", async () => {
    await mkdir(path.dirname(file()));
    await writeFile(file(), "{");
    const logger = new RecordingLogger();
    const store = open(logger);
    for (let count = 0; count < 3; count++) await store.load();
    await store.update((now) => now ?? { previous: [], savedAtMs: 0 });
    expect(logger.messages("error")).toHaveLength(1);
  });

  test("behind a symbolic link is written where the link leads, and the link stays", async () => {
    await mkdir(at("state"));
    await mkdir(at("elsewhere"));
    await symlink(at("elsewhere", "real.json"), file());
    await open().update(() => STATE);
    expect((await lstat(file())).isSymbolicLink()).toBe(true);
    expect(await readlink(file())).toBe(at("elsewhere", "real.json"));
    expect(await open().load()).toEqual(STATE);
    expect(await readdir(at("elsewhere"))).toEqual(["real.json"]);
  });

  test("with a folder in its place cannot be read, and a change says so and stores nothing", async () => {
    await mkdir(file(), { recursive: true });
    await expect(open().load()).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining(file()),
    });
    await expect(open().update(() => STATE)).rejects.toMatchObject({ code: "REGISTRY_IO" });
    expect(await readdir(file())).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)("in a folder that may not be written rejects and stays as it was", async () => {
    await open().update(() => STATE);
    await chmod(path.dirname(file()), 0o500);
    await expect(open().update(() => ({ previous: [], savedAtMs: 0 }))).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await chmod(path.dirname(file()), 0o700);
    expect(await open().load()).toEqual(STATE);
  });

  test("below a file that should be a folder cannot be written", async () => {
    await writeFile(at("state"), "");
    await expect(open().update(() => STATE)).rejects.toMatchObject({ code: "REGISTRY_IO" });
  });

  test.skipIf(process.platform !== "linux")("where nothing can be made rejects with what to do", async () => {
    const store = open(new RecordingLogger(), "/proc/cortex-mcp/service-map.json");
    await expect(store.update(() => STATE)).rejects.toMatchObject({
      code: "REGISTRY_IO",
      message: expect.stringContaining("cannot create the folder /proc/cortex-mcp"),
    });
  });
});
