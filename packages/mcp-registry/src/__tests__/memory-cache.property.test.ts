import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RegistryMemoryCache } from "../memory-cache.js";
import { RuledFs } from "./fs-fixture.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();

/** One instance, which can be ended as SIGKILL does. */
interface Instance {
  readonly cache: RegistryMemoryCache;
  readonly fs: RuledFs;
}

interface Real {
  readonly registryPath: string;
  readonly limit: number;
  /** Two that work on the same files. */
  readonly instances: [Instance, Instance];
}

/** What the registry holds, by name; a Map keeps the order of first insertion, as the file does. */
type Model = Map<string, string>;
type Command = fc.AsyncCommand<Model, Real>;
type Which = 0 | 1;

async function opened({ registryPath, limit }: Pick<Real, "registryPath" | "limit">): Promise<Instance> {
  const fs = new RuledFs();
  const cache = new RegistryMemoryCache({ registryPath, timers: new ManualTime(), fs, journalLimitBytes: limit });
  await cache.init();
  return { cache, fs };
}

function expectSame(model: Model, cache: RegistryMemoryCache): void {
  expect(cache.getAll().map(({ name, command }) => [name, command])).toEqual([...model]);
}

/** A command of one of the two instances, that may always run. */
function by(
  label: string,
  run: (model: Model, real: Real, which: Which) => Promise<void> | void,
): fc.Arbitrary<Command> {
  return fc.constantFrom<Which[]>(0, 1).map((which) => ({
    check: () => true,
    toString: () => `${label} (${which})`,
    run: async (model, real) => {
      await run(model, real, which);
      await real.instances[which].cache.refresh();
      expectSame(model, real.instances[which].cache);
    },
  }));
}

const name = fc.constantFrom("a", "A", "b", "__proto__");
const cacheOf = (real: Real, which: Which): RegistryMemoryCache => real.instances[which].cache;

const changes: fc.Arbitrary<Command>[] = [
  fc.tuple(name, fc.constantFrom("x", "y")).chain(([key, value]) =>
    by(`upsert ${key} ${value}`, (model, real, which) => {
      cacheOf(real, which).upsert({ name: key, command: value });
      model.set(key, value);
    }),
  ),
  name.chain((key) =>
    by(`remove ${key}`, (model, real, which) => {
      expect(cacheOf(real, which).remove(key)).toBe(model.delete(key));
    }),
  ),
  by("flush", (_, real, which) => cacheOf(real, which).flush()),
  by("flush, not awaited", (_, real, which) => {
    void cacheOf(real, which).flush();
  }),
  by("durable", (_, real, which) => cacheOf(real, which).durable()),
  by("close and open again", async (_, real, which) => {
    await cacheOf(real, which).close();
    real.instances[which] = await opened(real);
  }),
];

const accidents: fc.Arbitrary<Command>[] = [
  by("killed and opened again", async (_, real, which) => {
    real.instances[which].fs.kill();
    real.instances[which] = await opened(real);
  }),
  by("the other one is killed and opened again", async (_, real, which) => {
    const other = which === 0 ? 1 : 0;
    real.instances[other].fs.kill();
    real.instances[other] = await opened(real);
  }),
  // Each is noticed and mended before the next: of two at once nobody could mend all.
  ...["", ".log", ".prev", ".log.1"].map((end) =>
    by(`somebody removes servers.json${end}`, async (_, real, which) => {
      // What only one of them has in memory, the other cannot bring back.
      for (const { cache } of real.instances) await cache.refresh();
      await rm(`${real.registryPath}${end}`, { force: true });
      await cacheOf(real, which).refresh();
      await cacheOf(real, which).flush();
    }),
  ),
  by("somebody is in the middle of writing servers.json", async (model, real, which) => {
    const before = await readFile(real.registryPath).catch(() => undefined);
    if (before === undefined) return;
    for (const { cache } of real.instances) await cache.refresh();
    await writeFile(real.registryPath, '{"servers": [');
    await cacheOf(real, which).refresh();
    expectSame(model, cacheOf(real, which));
    await writeFile(real.registryPath, before);
  }),
  by("somebody tears servers.json, and it is written anew with the next change", async (model, real, which) => {
    if ((await readFile(real.registryPath).catch(() => undefined)) === undefined) return;
    for (const { cache } of real.instances) await cache.refresh();
    await writeFile(real.registryPath, '{"servers": [');
    const command = model.get("b") === "x" ? "y" : "x";
    cacheOf(real, which).upsert({ name: "b", command });
    model.set("b", command);
    await cacheOf(real, which).flush();
  }),
  by("somebody puts servers.json.prev in its place", async (model, real, which) => {
    const { registryPath } = real;
    const older = await readFile(`${registryPath}.prev`).catch(() => undefined);
    if (older === undefined) return;
    await writeFile(registryPath, older);
    await cacheOf(real, which).refresh();
    // It is rolled forward as far as the journals reach. Where they were removed before, too, it is not, and says so.
    if (cacheOf(real, which).problems.some((problem) => /older than the journal|cannot be read/.test(problem))) {
      model.clear();
      for (const { name: key, command = "" } of cacheOf(real, which).getAll()) model.set(key, command);
    }
    await cacheOf(real, which).flush();
  }),
];

async function check(commands: fc.Arbitrary<Command>[], numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.commands(commands, { maxCommands: 40, size: "max" }),
      fc.constantFrom(0, 400, 1024 * 1024),
      async (steps, limit) => {
        const home = await mkdtemp(folder.at("run-"));
        const place = { registryPath: path.join(home, "mcp", "servers.json"), limit };
        const real: Real = { ...place, instances: [await opened(place), await opened(place)] };
        const model: Model = new Map();
        try {
          await fc.asyncModelRun(() => ({ model, real }), steps);
          for (const { cache } of real.instances) await cache.close();
          const last = await opened(place);
          expectSame(model, last.cache);
          await last.cache.close();
        } finally {
          for (const { fs } of real.instances) fs.kill();
          await rm(home, { recursive: true, force: true });
        }
      },
    ),
    { numRuns },
  );
}

test("two instances behave like one Map, whatever the order of changes, flushes and openings (R10)", async () => {
  await check(changes, 100);
}, 120_000);

test("and do so when they are killed, or somebody takes one of their files away or tears it (R11)", async () => {
  await check([...changes, ...accidents], 150);
}, 600_000);
