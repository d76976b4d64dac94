import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RegistryMemoryCache } from "../memory-cache.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();

interface Real {
  readonly registryPath: string;
  cache: RegistryMemoryCache;
}

/** What the cache holds, by name; a Map keeps the order of first insertion, as the file does. */
type Model = Map<string, string>;
type Command = fc.AsyncCommand<Model, Real>;

async function opened(registryPath: string): Promise<RegistryMemoryCache> {
  const cache = new RegistryMemoryCache({ registryPath, timers: new ManualTime() });
  await cache.init();
  return cache;
}

function expectSame(model: Model, cache: RegistryMemoryCache): void {
  expect(cache.getAll().map(({ name, command }) => [name, command])).toEqual([...model]);
}

/** A command that may always run. */
function always(label: string, run: (model: Model, real: Real) => Promise<void> | void): Command {
  return {
    check: () => true,
    toString: () => label,
    run: async (model, real) => {
      await run(model, real);
      expectSame(model, real.cache);
    },
  };
}

const name = fc.constantFrom("a", "A", "b", "__proto__");

const commands: fc.Arbitrary<Command>[] = [
  fc.tuple(name, fc.constantFrom("x", "y")).map(([key, value]) =>
    always(`upsert ${key}`, (model, { cache }) => {
      cache.upsert({ name: key, command: value });
      model.set(key, value);
    }),
  ),
  name.map((key) =>
    always(`remove ${key}`, (model, { cache }) => {
      expect(cache.remove(key)).toBe(model.delete(key));
    }),
  ),
  fc.constant(always("flush", (_, { cache }) => cache.flush())),
  fc.constant(
    always("flush, not awaited", (_, { cache }) => {
      void cache.flush();
    }),
  ),
  fc.constant(always("refresh", (_, { cache }) => cache.refresh())),
  fc.constant(
    always("close and open again", async (_, real) => {
      await real.cache.close();
      real.cache = await opened(real.registryPath);
    }),
  ),
  fc.constant(
    always("another instance flushes nothing", async (_, real) => {
      const other = await opened(real.registryPath);
      await other.close();
    }),
  ),
];

test("RegistryMemoryCache behaves like a Map, whatever the order of changes, flushes and openings (R10)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 30 }), async (steps) => {
      const home = await mkdtemp(folder.at("run-"));
      const registryPath = path.join(home, "servers.json");
      const real: Real = { registryPath, cache: await opened(registryPath) };
      const model: Model = new Map();
      await fc.asyncModelRun(() => ({ model, real }), steps);
      await real.cache.close();
      const last = await opened(registryPath);
      expectSame(model, last);
      await last.close();
      await rm(home, { recursive: true });
    }),
    { numRuns: 100 },
  );
}, 120_000);
