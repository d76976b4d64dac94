import { readFile } from "node:fs/promises";
import { expect, onTestFinished, vi } from "vitest";
import { exampleProgram } from "../example/example-program.js";
import { statePaths } from "../state/state-paths.js";
import type { TestIo } from "./test-io.js";

/** The environment of a gateway that no other can be in the way of. */
export const anyPort = { CORTEX_MCP_PORT: "0" };

/** What `pnpm start` runs, in this process. */
export interface StartedExample {
  readonly stop: () => Promise<number>;
  /** What it has said, from this start on. */
  readonly said: () => string;
}

/** Starts the example in this process and waits until it says that Ctrl-C stops it. */
export async function startExample(io: TestIo, ...argv: readonly string[]): Promise<StartedExample> {
  const before = io.outLines.length;
  const said = (): string => io.outLines.slice(before).join("\n");
  const ended = exampleProgram(argv, io);
  let stopped: Promise<number> | undefined;
  const stop = (): Promise<number> => {
    if (stopped === undefined) io.signal("SIGINT");
    return (stopped ??= ended);
  };
  onTestFinished(async () => {
    await stop();
    expect(io.listening()).toBe(0);
  });
  await vi.waitFor(() => {
    expect([said(), ...io.errLines].join("\n")).toContain("Ctrl-C stops it.");
  }, 60_000);
  return { stop, said };
}

interface StoredServers {
  readonly servers: readonly { readonly name: string; readonly endpoint?: string; readonly args?: readonly string[] }[];
}

/** What the registry's file holds. */
export const registryOf = async (io: TestIo): Promise<StoredServers> =>
  JSON.parse(await readFile(statePaths(io.env).registry, "utf8")) as StoredServers;
