import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { expect, vi } from "vitest";

/** Every process that a test starts carries this in its environment, so that one left behind is found whoever adopted it. */
export const MARK = `cortex-test-${randomUUID()}`;

/** The ids of the running processes that carry a mark. */
export async function markedProcesses(mark = MARK): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (environment.includes(`CORTEX_TEST_MARK=${mark}`)) found.push(Number(name));
  }
  return found;
}

/** Fails if a process of the test file's is left; such a one is killed, so that a failure costs the machine nothing. */
export async function expectNoProcessLeft(mark = MARK): Promise<void> {
  try {
    await vi.waitFor(async () => expect(await markedProcesses(mark)).toEqual([]), { timeout: 5_000, interval: 20 });
  } catch (error) {
    for (const pid of await markedProcesses(mark)) process.kill(pid, "SIGKILL");
    throw error;
  }
}
