import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { ProcessIdentity } from "@cortex-os/mcp-registry";
import { SimDisk } from "@cortex-os/mcp-registry/testing";
import { contentOf, isSame, serverOf } from "../content.js";
import { described } from "../errors.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { HOME, REGISTRY_PATH } from "../sim/sim-world.js";
import type { Target } from "../target.js";

/** A process that was killed in a section, and whose number a living one has got since. A round is a kill at one call. */
export const reusedPid: Scenario = {
  name: "reused-pid",
  promise:
    "the lock of a dead process whose number another has now, or that was of another boot, is taken over at once (R12)",
  short: 1,
  long: 1,
  run: async ({ seed, target }: ScenarioOptions) => {
    const tally = new Tally(reusedPid.name);
    const self = ownIdentity();
    if (self === undefined) return tally.result("there is no /proc here that tells when a process started");
    for (const holder of [
      { ...self, startTime: "1" },
      { ...self, pid: self.pid + 1, bootId: "another boot" },
    ]) {
      for (let call = 1; await takeOver(target, holder, call, seed, tally);) call++;
    }
    return tally.result();
  },
};

/** Whether the first process made so many calls. */
async function takeOver(
  target: Target,
  self: ProcessIdentity,
  call: number,
  seed: number,
  tally: Tally,
): Promise<boolean> {
  const { RegistryMemoryCache } = target.registry;
  const disk = SimDisk.of({ [`${HOME}/.keep`]: "" });
  const fs = disk.mount({ onCall: ({ index }) => (index === call ? { kind: "kill" } : undefined) });
  const first = new RegistryMemoryCache({ registryPath: REGISTRY_PATH, flushIntervalMs: Infinity, fs, lock: { self } });
  const done: string[] = [];
  try {
    await first.init();
    for (const name of ["a", "b"]) {
      const server = serverOf(name, "v");
      first.upsert(server);
      done.push(...contentOf([server]));
    }
    return false;
  } catch (error) {
    if (!fs.killed) throw error;
  }
  tally.round();
  tally.acknowledged(done.length);
  const what = `killed at call ${call}`;
  try {
    // The next process has no time to wait.
    const lock = { waitMs: 0, monotonic: { elapsedMs: ticking() } };
    const next = new RegistryMemoryCache({
      registryPath: REGISTRY_PATH,
      flushIntervalMs: Infinity,
      fs: disk.mount(),
      lock,
    });
    await next.init();
    next.upsert(serverOf("next", "v"));
    const found = contentOf(next.getAll()).filter((text) => done.includes(text));
    if (!isSame(found, done)) tally.fail("lost", seed, `${what}: found [${found.join(" ")}], not [${done.join(" ")}]`);
    await next.close();
  } catch (error) {
    tally.fail("thrown", seed, `${what}: ${described(error)}`);
  }
  return true;
}

/** A clock that says a minute later whenever it is looked at. */
function ticking(): () => number {
  let nowMs = 0;
  return () => (nowMs += 60_000);
}

/** As the kernel tells it; nothing where it does not. */
function ownIdentity(): ProcessIdentity | undefined {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    return {
      pid: process.pid,
      host: hostname(),
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      namespace: readlinkSync("/proc/self/ns/pid"),
      startTime: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    };
  } catch {
    return undefined;
  }
}
