import { ManualTime } from "@cortex-os/mcp-core/testing";
import { expect, test } from "vitest";
import type { RegistryFs } from "../fs/registry-fs.js";
import { RegistryMemoryCache } from "../memory-cache.js";
import { SimDisk, type SimMountOptions } from "../testing/index.js";

const REGISTRY_PATH = "/disk/config/mcp/servers.json";

async function opened(fs: RegistryFs): Promise<RegistryMemoryCache> {
  const time = new ManualTime();
  const options = { registryPath: REGISTRY_PATH, flushIntervalMs: Infinity, timers: time, clock: time, fs };
  const cache = new RegistryMemoryCache(options);
  await cache.init();
  return cache;
}

/** What is found when the power goes and nothing is left but what was synced; what it complains of comes with it. */
async function foundAfterCut(disk: SimDisk): Promise<readonly string[]> {
  const cache = await opened(disk.image(disk.tick, () => "lost").mount());
  return [...cache.getAll().map(({ name }) => name), ...cache.problems];
}

const emptyDisk = (): SimDisk => SimDisk.of({ "/disk/.keep": "" });

test("a promise covers the names of files and folders that another process made and did not live to sync (R11)", async () => {
  const disk = emptyDisk();
  const first = disk.mount();
  (await opened(first)).upsert({ name: "a", command: "run" });
  first.kill();
  const second = await opened(disk.mount());
  second.upsert({ name: "b", command: "run" });
  await second.durable();
  expect(await foundAfterCut(disk)).toEqual(["a", "b"]);
});

test("a promise covers folders that were made for a change that was none", async () => {
  const disk = emptyDisk();
  const [first, second] = [await opened(disk.mount()), await opened(disk.mount())];
  first.remove("a");
  second.upsert({ name: "b", command: "run" });
  await second.durable();
  expect(await foundAfterCut(disk)).toEqual(["b"]);
});

test("after a sync that failed whoever opens the journal next promises nothing that was lost with it", async () => {
  const disk = emptyDisk();
  let syncs = 0;
  const onCall: SimMountOptions["onCall"] = ({ name }) =>
    name === "datasync" && ++syncs === 1 ? { kind: "error", code: "EIO" } : undefined;
  const first = await opened(disk.mount({ onCall }));
  first.upsert({ name: "a", command: "run" });
  await first.durable();
  const second = await opened(disk.mount());
  second.upsert({ name: "b", command: "run" });
  await second.durable();
  expect(await foundAfterCut(disk)).toEqual(["a", "b"]);
});

test("a snapshot that was written before there was a journal is no stranger's", async () => {
  const disk = emptyDisk();
  let isRefusing = true;
  const onCall: SimMountOptions["onCall"] = ({ name }) =>
    isRefusing && (name === "stat" || name === "open") ? { kind: "error", code: "EIO" } : undefined;
  const cache = await opened(disk.mount());
  const refused = await opened(disk.mount({ onCall: (call) => (call.index < 3 ? undefined : onCall(call)) }));
  expect(() => refused.upsert({ name: "a", command: "run" })).toThrow("EIO");
  await expect(refused.durable()).rejects.toThrow("EIO");
  isRefusing = false;
  await refused.flush();
  refused.upsert({ name: "b", command: "run" });
  await refused.durable();
  await cache.refresh();
  expect(await foundAfterCut(disk)).toEqual(["b"]);
});
