import { lstat, lutimes, readdir, readFile, stat } from "node:fs/promises";
import { floorOf } from "@cortex-os/protocol";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { acquireLock } from "@cortex-os/mcp-registry";
import { describe, expect, test } from "vitest";
import { publisherAt } from "../map-publisher.js";
import { fileServiceMapStore } from "../service-map-store.js";
import type { ServiceMapStore, StoredServiceMaps } from "../stored-service-maps.js";
import { idsOf, useRig } from "./follower-set-up.js";
import { incoming, START } from "./map-set-up.js";
import { useTempFolder } from "./temp-folder.js";

const at = useTempFolder();
const rig = useRig();
const file = (): string => at("service-map.json");
const [A, B] = ["https://a.example/map?tenant=1", "https://b.example/map?token=a-token-that-no-message-may-show"];

function open(serviceMapUrl?: string, logger = new RecordingLogger()): ServiceMapStore {
  const url = serviceMapUrl === undefined ? {} : { serviceMapUrl };
  return fileServiceMapStore({ file: file(), logger, clock: new ManualTime(START), ...url });
}

function mapsOf(id: string): StoredServiceMaps {
  const { stored, map } = incoming({ connectors: [id] });
  return { accepted: stored, floor: floorOf(map), previous: [], savedAtMs: START };
}

describe("the stored maps of several publishers (R2: a floor is one publisher's)", () => {
  test("each URL has its own, with its own floor, whichever was last; what tells them apart shows no token", async () => {
    const [a, b] = [mapsOf("a"), mapsOf("b")];
    await open(A).update(() => a);
    expect(await open(A).load()).toEqual({ ...a, publisher: publisherAt(A) });
    expect(await open(B).load()).toBeUndefined();
    await open(B).update((now) => {
      expect(now).toBeUndefined();
      return b;
    });
    expect(await open(B).load()).toMatchObject(b);
    expect(await open(A).load()).toMatchObject(a);
    const names = await readdir(at());
    expect(names.toSorted()).toEqual(["service-map.json", `service-map.json.of-${publisherAt(A).id.slice(0, 16)}`]);
    for (const name of names) {
      expect((await stat(at(name))).mode & 0o777).toBe(0o600);
      expect(await readFile(at(name), "utf8")).not.toContain("a-token");
    }
    await open(A).update((now) => ({ previous: [], savedAtMs: START + 1, ...now }));
    expect(await open(A).load()).toMatchObject({ ...a, publisher: { url: "https://a.example/map" } });
    expect(await open(B).load()).toMatchObject(b);
  });

  test("are another's as soon as origin, path or query is another", async () => {
    await open(A).update(() => mapsOf("a"));
    for (const url of ["https://a.example/map", "https://a.example/map?tenant=2", "https://a.example:444/map?tenant=1"])
      expect(await open(url).load()).toBeUndefined();
    expect(await open("https://A.example:443/map?tenant=1#x").load()).toBeDefined();
  });

  test("at what is no URL are nobody else's, and it is not repeated", async () => {
    const text = "b.example/?token=secret";
    await open(text).update(() => mapsOf("a"));
    expect((await open(text).load())?.publisher).toMatchObject({ url: "(not a URL)" });
    expect(await readFile(file(), "utf8")).not.toContain("secret");
  });

  test("of a file that names nobody, or for a store that was told of none, are taken as they are", async () => {
    await open().update(() => mapsOf("a"));
    expect(await open(B).load()).toMatchObject({ savedAtMs: START });
    await open(B).update((now) => ({ previous: [], savedAtMs: 0, ...now }));
    expect(await open().load()).toMatchObject({ publisher: publisherAt(B) });
    expect(await open(A).load()).toBeUndefined();
  });

  test("a change that changes nothing, or throws, leaves the other's where they are", async () => {
    await open(A).update(() => mapsOf("a"));
    await open(B).update(() => mapsOf("b"));
    await open(A).update((now) => now ?? mapsOf("c"));
    expect(await readFile(file(), "utf8")).toContain("https://b.example/map");
    const refusing = open(A).update(() => {
      throw new Error("no");
    });
    await expect(refusing).rejects.toThrow("no");
    expect(await readFile(file(), "utf8")).toContain("https://b.example/map");
  });

  test("are warned of once, naming both URLs without their queries", async () => {
    await open(A).update(() => mapsOf("a"));
    const logger = new RecordingLogger();
    const store = open(B, logger);
    await store.load();
    await store.update(() => mapsOf("b"));
    expect(logger.lines).toMatchObject([
      { level: "warn", fields: { url: "https://b.example/map", storedUrl: "https://a.example/map" } },
    ]);
    expect(JSON.stringify(logger.lines)).not.toContain("token");
  });

  test("a switch to another URL serves nothing of the first, sends no ETag of it, and is not kept out by its floor", async () => {
    const on = (serviceMapUrl: string): ServiceMapStore =>
      fileServiceMapStore({ file: file(), logger: rig().logger, clock: rig().time, serviceMapUrl });
    const first = await rig().following(["staging"], { serviceMapUrl: A, store: on(A) });
    await first.stop();
    const staging = rig().publisher.body;
    rig().publisher.publish({ connectors: ["production"], atMs: START - 60_000 });
    const second = rig().follow({ serviceMapUrl: B, store: on(B) });
    await second.load();
    expect(second.inForce).toBeUndefined();
    await second.sync();
    expect(idsOf(second.inForce)).toEqual(["production"]);
    expect(rig().publisher.conditions).toEqual([undefined, undefined]);
    await second.stop();
    const back = rig().follow({ serviceMapUrl: A, store: on(A) });
    await back.load();
    expect(idsOf(back.inForce)).toEqual(["staging"]);
    await expect(back.refresh()).rejects.toMatchObject({ rule: "older" });
    rig().publisher.body = staging;
    await back.refresh();
    expect(idsOf(back.inForce)).toEqual(["staging"]);
  });
});

test("a lock that was left behind by a container that is gone keeps nothing out for longer than a minute", async () => {
  const lock = `${file()}.lock`;
  await acquireLock(lock, { self: { pid: 7, host: "pod", bootId: "x", namespace: "pid:[1]", startTime: "5" } });
  const store = fileServiceMapStore({
    ...{ file: file(), logger: new RecordingLogger(), clock: new ManualTime(START), lock: { waitMs: 0 } },
  });
  await expect(store.update(() => mapsOf("a"))).rejects.toMatchObject({
    code: "REGISTRY_IO",
    message: expect.stringContaining("process 7 on pod"),
  });
  const { mtimeMs } = await lstat(lock);
  await lutimes(lock, new Date(mtimeMs), new Date(mtimeMs - 61_000));
  await store.update(() => mapsOf("a"));
  expect(await store.load()).toMatchObject({ savedAtMs: START });
});
