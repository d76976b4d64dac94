import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLogger } from "@cortex-os/mcp-core";
import { expect, onTestFinished, test, vi } from "vitest";
import { loadConfig } from "../config/load.js";
import { isHomeTaken } from "../serve/claim-home.js";
import { hostGateway, type HostedSources, type HostOptions } from "../serve/host-gateway.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { createTestIo } from "./test-io.js";

/** What hosts a gateway without connectors in a home of its own, or in another's. */
async function hostOptions(home?: string, env: Readonly<Record<string, string>> = {}): Promise<HostOptions> {
  const io = await createTestIo({ env: { CORTEX_MCP_PORT: "0", ...env, ...(home && { CORTEX_HOME: home }) } });
  const paths = statePaths(io.env);
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
  const sources = async (): Promise<HostedSources> => ({ sources: [] });
  const { signal } = new AbortController();
  return { version: "1.0.0", config, paths, sources, system: io.system, logger: silentLogger, signal };
}

test("sources that come after the start was called off are closed, and the home is free", async () => {
  const options = await hostOptions();
  const abort = new AbortController();
  let come: (sources: HostedSources) => void = () => {};
  const sources = (): Promise<HostedSources> => {
    abort.abort(new Error("called off"));
    return new Promise((resolve) => {
      come = resolve;
    });
  };
  const hosting = hostGateway({ ...options, sources, signal: abort.signal });
  await expect(hosting).rejects.toThrow("called off");
  const close = vi.fn<() => Promise<void>>(async () => {});
  come({ sources: [{ origin: "registry", start: async () => {}, reload: async () => {}, close }] });
  await vi.waitFor(() => {
    expect(close).toHaveBeenCalledOnce();
  });
  expect(await readdir(options.paths.folder)).toEqual([]);
});

/** A gateway whose start waits until `go` is called. */
function slowly(options: HostOptions): { readonly hosting: ReturnType<typeof hostGateway>; readonly go: () => void } {
  let go = (): void => {};
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      go = resolve;
    });
  const idle = async (): Promise<void> => {};
  const sources = async (): Promise<HostedSources> => ({
    sources: [{ origin: "registry", start, reload: idle, close: idle }],
  });
  return { hosting: hostGateway({ ...options, sources }), go: () => go() };
}

test("R14: who reaches a gateway that is still starting knows who it is, and whether it has a URL", async () => {
  const options = await hostOptions();
  const { hosting, go } = slowly(options);
  const running = await vi.waitFor(async () => {
    const found = await findRunningGateway(options.paths);
    if (found === undefined) throw new Error("nobody listens yet");
    return found;
  });
  go();
  const { url, stop } = await hosting;
  expect(running.record).toMatchObject({ pid: process.pid, url });
  await stop();
});

test("R14: two of one home with different runtime folders do not both become its gateway", async () => {
  // Too long for a socket beside it: where that is then depends on the environment.
  const home = path.join((await createTestIo()).home, "long".repeat(30));
  const folder = await mkdtemp(path.join(tmpdir(), "rt-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const first = slowly(await hostOptions(home));
  const other = await hostOptions(home, { XDG_RUNTIME_DIR: folder });
  await vi.waitFor(async () => expect(await findRunningGateway(other.paths)).toBeDefined());
  await expect(hostGateway(other)).rejects.toSatisfy(isHomeTaken);
  first.go();
  await (await first.hosting).stop();
});
