// Under `npx -y pnpm start` there is a chain of processes above us: npm, a shell, pnpm, a shell. A terminal's Ctrl-C
// reaches all of them; a signal sent to npm alone ends npm and nothing else. So the lowest one watches the chain.
import { readFileSync } from "node:fs";

const POLL_MS = 500;

/**
 * The parent of a process, from `/proc`; `undefined` when the process is gone or there is no `/proc`.
 *
 * @param {number} pid
 */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in brackets and may hold anything; state and parent follow the last bracket.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isNpx(pid) {
  try {
    return /^(npm exec|npx)\b/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
  } catch {
    return false;
  }
}

/** The processes from our parent up to npx, or none when we were not started by it. */
function chainToNpx() {
  const chain = [];
  for (let pid = parentOf(process.pid); pid !== undefined && pid > 1; pid = parentOf(pid)) {
    chain.push(pid);
    if (isNpx(pid)) return chain;
  }
  return [];
}

/**
 * Sends this process SIGTERM once the npx that started it is gone. Does nothing where `/proc` is missing, and nothing
 * when no npx is above us: a gateway started with `nohup pnpm start &` outlives its shell.
 */
export function followNpx() {
  const chain = chainToNpx();
  if (chain.length === 0) return;
  const poll = setInterval(() => {
    const intact = chain.every((pid, index) => parentOf(chain[index - 1] ?? process.pid) === pid);
    if (intact && parentOf(chain.at(-1) ?? 0) !== undefined) return;
    clearInterval(poll);
    process.kill(process.pid, "SIGTERM");
  }, POLL_MS);
  poll.unref();
  // A second signal means "at once" to the gateway: ours must not follow one that came by itself.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, () => {
      clearInterval(poll);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}
