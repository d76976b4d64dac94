import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, beforeEach } from "vitest";
import { RegistryMemoryCache, type RegistryCacheOptions } from "../memory-cache.js";
import { useTempFolder, type TempFolder } from "./temp-folder.js";

/** What tests of a cache work with; made anew before each test. */
export interface CacheFixture {
  readonly folder: TempFolder;
  /** The registry file; neither it nor its folder exists at first. */
  readonly file: string;
  readonly time: ManualTime;
  readonly logger: RecordingLogger;
  opened(options?: Partial<RegistryCacheOptions>): Promise<RegistryMemoryCache>;
  /** Writes the registry file as somebody else would. */
  writeServers(content: unknown): Promise<void>;
  /** Makes every write fail; what it returns undoes it. */
  breakDisk(): Promise<() => Promise<void>>;
}

/** Sets up a {@link CacheFixture} for each test of the file; a timer that is left over fails the test. */
export function useCacheFixture(): CacheFixture {
  const folder = useTempFolder();
  let time = new ManualTime();
  let logger = new RecordingLogger();
  beforeEach(() => {
    time = new ManualTime();
    logger = new RecordingLogger();
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
    async opened(options) {
      const cache = new RegistryMemoryCache({
        registryPath: fixture.file,
        logger,
        timers: time,
        clock: time,
        ...options,
      });
      await cache.init();
      return cache;
    },
    async writeServers(content) {
      await mkdir(path.dirname(fixture.file), { recursive: true });
      await writeFile(fixture.file, JSON.stringify(content));
    },
    async breakDisk() {
      const mcp = path.dirname(fixture.file);
      await rm(mcp, { recursive: true, force: true });
      await writeFile(mcp, "a file where the folder should be");
      return () => rm(mcp);
    },
  };
  return fixture;
}

/** A server that is good enough for a registry. */
export const server = (name: string, command = "run"): ServerInfo => ({ name, command });

/** The names of what a cache serves, in its order. */
export const namesOf = (cache: RegistryMemoryCache): string[] => cache.getAll().map(({ name }) => name);
