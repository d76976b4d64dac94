import { readdir } from "node:fs/promises";
import { silentLogger } from "@cortex-os/mcp-core";
import { expect, test, vi } from "vitest";
import { loadConfig } from "../config/load.js";
import { hostGateway, type HostedSources } from "../serve/host-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { createTestIo } from "./test-io.js";

test("sources that come after the start was called off are closed, and the home is free", async () => {
  const io = await createTestIo({ env: { CORTEX_MCP_PORT: "0" } });
  const paths = statePaths(io.env);
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
  const abort = new AbortController();
  let come: (sources: HostedSources) => void = () => {};
  const sources = (): Promise<HostedSources> => {
    abort.abort(new Error("called off"));
    return new Promise((resolve) => {
      come = resolve;
    });
  };
  const { system } = io;
  const hosting = hostGateway({
    ...{ version: "1.0.0", config, paths, sources, system, logger: silentLogger, signal: abort.signal },
  });
  await expect(hosting).rejects.toThrow("called off");
  const close = vi.fn<() => Promise<void>>(async () => {});
  come({ sources: [{ origin: "registry", start: async () => {}, reload: async () => {}, close }] });
  await vi.waitFor(() => {
    expect(close).toHaveBeenCalledOnce();
  });
  expect(await readdir(paths.folder)).toEqual([]);
});
