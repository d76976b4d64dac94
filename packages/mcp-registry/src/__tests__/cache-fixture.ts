import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach } from "vitest";
import { RegistryMemoryCache } from "../memory-cache.js";
import type { RegistryCacheOptions } from "../registry-cache-options.js";
import { RuledFs } from "./fs-fixture.js";
import { useTempFolder, type TempFolder } from "./temp-folder.js";

/** What tests of a cache work with; made anew before each test. */
export interface CacheFixture {
  readonly folder: TempFolder;
  /** The registry file; neither it nor its folder exists at first. */
  readonly file: string;
  readonly time: ManualTime;
  readonly logger: RecordingLogger;
  /** The file system of the caches that are opened. */
  readonly fs: RuledFs;
  opened(options?: Partial<RegistryCacheOptions>): Promise<RegistryMemoryCache>;
  /** One with a file system and timers of its own, and what ends it as SIGKILL would. */
  openedToKill(options?: Partial<RegistryCacheOptions>): Promise<{ cache: RegistryMemoryCache; kill: () => void }>;
  /** What a cache serves that is opened on the files as they are; closed again. */
  namesAfterReopening(): Promise<string[]>;
  /** Writes the registry file as somebody else would. */
  writeServers(content: unknown): Promise<void>;
  /** The names in the registry's folder. */
  files(): Promise<string[]>;
  /** Makes every writing of `servers.json` fail; what it returns undoes it. */
  breakDisk(): () => void;
}

/** Sets up a {@link CacheFixture} for each test of the file; a timer that is left over fails the test. */
export function useCacheFixture(): CacheFixture {
  const folder = useTempFolder();
  let time = new ManualTime();
  let logger = new RecordingLogger();
  let fs = new RuledFs();
  beforeEach(() => {
    time = new ManualTime();
    logger = new RecordingLogger();
    fs = new RuledFs();
  });
  afterEach(() => {
    if (time.pending > 0) throw new Error(`the test left ${time.pending} timer(s) waiting`);
  });
  const fixture: CacheFixture = {
    folder,
    get file() {
      return folder.at("mcp", "servers.json");
    },
    get time() {
      return time;
    },
    get logger() {
      return logger;
    },
    get fs() {
      return fs;
    },
    async opened(options) {
      const cache = new RegistryMemoryCache({
        registryPath: fixture.file,
        logger,
        timers: time,
        clock: time,
        fs,
        ...options,
      });
      await cache.init();
      return cache;
    },
    async openedToKill(options) {
      const own = new RuledFs();
      return {
        cache: await fixture.opened({ timers: new ManualTime(), fs: own, ...options }),
        kill: () => {
          own.kill();
        },
      };
    },
    async namesAfterReopening() {
      const cache = await fixture.opened({ timers: new ManualTime(), fs: new RuledFs() });
      const names = namesOf(cache);
      await cache.close();
      return names;
    },
    async writeServers(content) {
      await mkdir(path.dirname(fixture.file), { recursive: true });
      await writeFile(fixture.file, JSON.stringify(content));
    },
    files: async () => (await readdir(path.dirname(fixture.file))).toSorted(),
    breakDisk: () => fs.refuse("open", /^servers\.json\.tmp-/, "ENOSPC"),
  };
  return fixture;
}

/** A server that is good enough for a registry. */
export const server = (name: string, command = "run"): ServerInfo => ({ name, command });

/** The names of what a cache serves, in its order. */
export const namesOf = (cache: RegistryMemoryCache): string[] => cache.getAll().map(({ name }) => name);
