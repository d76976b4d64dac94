import { onTestFinished } from "vitest";
import type { RealClient } from "./real-clients.js";

/** What came of calls that were made one after the other. */
export interface LoopResult {
  readonly calls: number;
  readonly failures: readonly string[];
}

/** Calls that are made one after the other until somebody stops them. */
export interface CallLoop {
  readonly calls: number;
  /** Waits for the call under way. */
  stop(): Promise<LoopResult>;
}

/** More failures than this tell nothing new, and calls that fail at once would fill the memory. */
const ENOUGH_FAILURES = 100;

/** Calls an `echo` tool again and again, until the test is over at the latest. An answer that is not the echo counts as a failure. */
export function callInALoop(client: Pick<RealClient, "call">, tool: string): CallLoop {
  const over = new AbortController();
  let calls = 0;
  const failures: string[] = [];
  const run = async (): Promise<void> => {
    while (!over.signal.aborted && failures.length < ENOUGH_FAILURES) {
      calls += 1;
      const message = `call ${calls}`;
      try {
        const { text, isError } = await client.call(tool, { message });
        if (isError || text !== message) failures.push(`${tool}: ${text}`);
      } catch (error) {
        failures.push(`${tool}: ${String(error)}`);
      }
    }
  };
  const done = run();
  onTestFinished(() => {
    over.abort();
  });
  return {
    get calls() {
      return calls;
    },
    stop: async () => {
      over.abort();
      await done;
      return { calls, failures };
    },
  };
}
