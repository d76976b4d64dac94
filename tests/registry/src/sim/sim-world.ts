import { ManualTime } from "@cortex-os/mcp-core/testing";
import { SimDisk, type SimMount, type SimMountOptions } from "@cortex-os/mcp-registry/testing";
import type { Cache, Target } from "../target.js";

/** Where the registry is on a simulated disk. Of its folders only the first is there: the store makes the others. */
export const REGISTRY_PATH = "/disk/config/cortex-os/mcp/servers.json";
export const HOME = "/disk";

/** Small, so that a script of some steps closes several journals. */
const JOURNAL_LIMIT_BYTES = 1_500;
/** Higher than a process number of a machine can be. */
const FIRST_PID = 5_000_000;
/** Longer than any lock is waited for. */
const PATIENCE_MS = 60_000;
const PIDS_OF_A_BOOT = 10_000;

/** A process on a simulated machine. */
export interface SimProcess {
  readonly mount: SimMount;
  /** A new instance in it. */
  cache(journalLimitBytes?: number): Cache;
  /** Ends it: whatever its instances do from now on fails, and everybody can see that it is gone. */
  kill(): void;
}

/** A machine with a simulated disk, from one power cut to the next. */
export class SimWorld {
  readonly disk: SimDisk;
  readonly #target: Target;
  readonly #alive = new Set<number>();
  readonly #time = new ManualTime();
  readonly #boot: number;
  #lastPid: number;
  #elapsedMs = 0;

  constructor(target: Target, disk: SimDisk = SimDisk.of({ [`${HOME}/.keep`]: "" }), boot = 1) {
    this.#target = target;
    this.disk = disk;
    this.#boot = boot;
    this.#lastPid = FIRST_PID + boot * PIDS_OF_A_BOOT;
  }

  /** The machine after a power cut that left `disk`. */
  after(disk: SimDisk): SimWorld {
    return new SimWorld(this.#target, disk, this.#boot + 1);
  }

  start(onCall?: SimMountOptions["onCall"]): SimProcess {
    const pid = this.#lastPid++;
    this.#alive.add(pid);
    const mount = this.disk.mount(onCall === undefined ? {} : { onCall });
    const { RegistryMemoryCache } = this.#target.registry;
    return {
      mount,
      cache: (journalLimitBytes = JOURNAL_LIMIT_BYTES) =>
        new RegistryMemoryCache({
          registryPath: REGISTRY_PATH,
          flushIntervalMs: Infinity,
          journalLimitBytes,
          timers: this.#time,
          clock: this.#time,
          fs: mount,
          lock: {
            // Nobody here gives a lock back while another waits for it: each look at the clock ends the waiting.
            monotonic: { elapsedMs: () => (this.#elapsedMs += PATIENCE_MS) },
            self: { pid, host: "sim", bootId: `boot-${this.#boot}`, namespace: "sim", startTime: `${pid}` },
            livenessOf: (holder) => (this.#alive.has(holder.pid) ? "alive" : "gone"),
          },
        }),
      kill: () => {
        mount.kill();
        this.#alive.delete(pid);
      },
    };
  }
}
