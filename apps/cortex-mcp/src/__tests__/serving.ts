import { startFixtureHttp, stdioMainPath, type FixtureHttp } from "@cortex-os/fixture-server";
import { expect, onTestFinished, vi } from "vitest";
import { createTestIo, type TestIo } from "./test-io.js";

/** A gateway that `serve` runs in this process. */
export interface Serving {
  readonly url: string;
  /** Sends it a signal and gives the exit code it ends with. */
  readonly stop: () => Promise<number>;
}

/** Runs `serve` on a free port until the test is over. */
export async function serving(io: TestIo, ...flags: readonly string[]): Promise<Serving> {
  const before = io.outLines.length;
  const ended = io.run("serve", "--port", "0", ...flags);
  let early: unknown;
  void ended.then((ran) => {
    early = ran;
  });
  await vi.waitFor(() => {
    if (early !== undefined) throw new Error(`serve ended: ${JSON.stringify(early)}`);
    expect(io.outLines.length).toBeGreaterThan(before);
  }, 20_000);
  const line = io.outLines[before] ?? "";
  let stopped: Promise<number> | undefined;
  const stop = (): Promise<number> =>
    (stopped ??= (async () => {
      io.signal("SIGTERM");
      const { code } = await ended;
      return code;
    })());
  onTestFinished(async () => {
    await stop();
    expect(io.listening()).toBe(0);
  });
  return { url: /http:\S+?\/mcp/.exec(line)?.[0] ?? "", stop };
}

/**
 * {@link serving} with outputs of its own, in the home and environment of `io`: what it logs is not mixed up with what commands print.
 */
export async function servingHomeOf(io: TestIo): Promise<Serving & { readonly io: TestIo }> {
  const env = Object.fromEntries(
    Object.entries(io.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  const own = await createTestIo({ env });
  return { ...(await serving(own)), io: own };
}

/** A fixture server that is closed after the test. */
export async function fixture(): Promise<FixtureHttp> {
  const server = await startFixtureHttp();
  onTestFinished(() => server.close());
  return server;
}

/** The words of `add` for the fixture's stdio twin. */
export const stdioFixture = (name: string): readonly string[] => [
  "add",
  name,
  "--",
  process.execPath,
  stdioMainPath,
  "--name",
  name,
];

/** Waits until the running gateway says that a connector is in a state. */
export async function untilState(io: TestIo, key: string, state: string): Promise<void> {
  await vi.waitFor(async () => {
    const { out } = await io.run("status", "--json");
    expect(JSON.parse(out)).toMatchObject({
      connectors: expect.arrayContaining([expect.objectContaining({ key, state })]),
    });
  }, 20_000);
}
