import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { contentOf, judge, serverOf, type Content } from "../content.js";
import { withTempHome } from "../processes/temp-home.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import type { Target } from "../target.js";

const MAIN = fileURLToPath(new URL("../../dist/processes/syscall-main.js", import.meta.url));
/** What the registry makes of its file system calls; one name where the C library has the choice. */
const SYSCALLS = [
  ...["openat", "close", "pread64,read", "pwrite64,write", "ftruncate", "statx,fstat,newfstatat,lstat"],
  ...[
    "rename,renameat2",
    "link,linkat",
    "symlink,symlinkat",
    "readlink,readlinkat",
    "unlink,unlinkat",
    "mkdir,mkdirat",
  ],
  ...["fdatasync", "fsync"],
];
const CHANGES = 8;

/** A real process killed by strace at each of its system calls, one after the other. A round is one kill. */
export const killAtSyscall: Scenario = {
  name: "kill-at-syscall",
  promise: "a real process killed at any system call loses nothing that it acknowledged (R10, R11)",
  long: 1,
  run: async ({ seed, target }: ScenarioOptions) => {
    const tally = new Tally(killAtSyscall.name);
    if (spawnSync("strace", ["-V"]).status !== 0)
      return tally.result("there is no strace here: apt-get install strace");
    for (const syscalls of SYSCALLS) {
      for (let call = 1; await killAt(target, syscalls, call, seed, tally);) call++;
    }
    return tally.result();
  },
};

/** Whether the process came to that call. */
async function killAt(target: Target, syscalls: string, call: number, seed: number, tally: Tally): Promise<boolean> {
  return withTempHome(async (home) => {
    // One thread for all that is done in the background: strace counts calls by thread.
    const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
    const child = spawn(process.execPath, [MAIN, target.entry, home], { env, stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "close").then(([, signal]: unknown[]) => signal);
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await once(child.stdout, "data");
    const inject = `inject=${syscalls}:signal=KILL:when=${call}`;
    const strace = spawn("strace", ["-f", "-p", String(child.pid), "-e", `trace=${syscalls}`, "-e", inject], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const detached = once(strace, "close");
    // It says so when it has attached.
    await once(strace.stderr, "data");
    strace.stderr.resume();
    child.stdin.end("go\n");
    const signal = await ended;
    await detached;
    if (signal !== "SIGKILL") return false;
    tally.round();
    const acknowledged = said.split("+").length - 1;
    tally.acknowledged(acknowledged);
    await check(target, home, acknowledged, `killed at call ${call} of ${syscalls}`, seed, tally);
    return true;
  });
}

async function check(
  target: Target,
  home: string,
  acknowledged: number,
  what: string,
  seed: number,
  tally: Tally,
): Promise<void> {
  const { RegistryMemoryCache, registryPath } = target.registry;
  const servers = Array.from({ length: CHANGES }, (_, change) => serverOf(`s${change}`, `v${change}`, 100));
  const after = (changes: number): Content => contentOf(servers.slice(0, changes));
  try {
    const cache = new RegistryMemoryCache({
      registryPath: registryPath({ CORTEX_HOME: home }),
      flushIntervalMs: Infinity,
    });
    await cache.init();
    const known = new Set(contentOf(servers));
    judge(tally, contentOf(cache.getAll()), {
      allowed: [after(acknowledged), after(acknowledged + 1)],
      known,
      seed,
      what,
    });
    for (const problem of cache.problems) tally.fail("wrong", seed, `${what}: it complains: ${problem}`);
    await cache.close();
  } catch (error) {
    tally.fail("thrown", seed, `${what}: ${String(error)}`);
  }
}
