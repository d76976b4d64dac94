import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createMetrics } from "@cortex-os/mcp";
import { systemClock, systemTimers, type Timers } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { homeRegistry } from "../serve/home-registry.js";
import { serving } from "./serving.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

async function opened(timers: Timers = systemTimers) {
  const file = path.join(await temporaryFolder(), "servers.json");
  const logger = new RecordingLogger();
  const metrics = createMetrics();
  const registry = homeRegistry({ paths: { registry: file }, system: { clock: systemClock, timers }, logger, metrics });
  return { file, logger, metrics, ...registry };
}

describe("R10, R12: the registry of a gateway that ends", () => {
  test("is written before it has ended, and an editor's last save is taken in", async () => {
    const io = await createTestIo();
    const { stop } = await serving(io);
    const client = await createTestIo({ env: { CORTEX_HOME: io.home } });
    await client.run("add", "docs", "http://127.0.0.1:9/mcp");
    const file = path.join(io.home, "mcp/servers.json");
    await writeFile(file, (await readFile(file, "utf8")).replace("9/mcp", "9/other"));
    await vi.waitFor(
      async () => expect((await client.run("get", "docs")).out).toContain("http://127.0.0.1:9/other"),
      20_000,
    );
    expect(await stop()).toBe(0);
    const { out } = await client.run("registry", "verify", "--json");
    expect(JSON.parse(out)).toMatchObject({
      servers: 1,
      changes: 2,
      findings: [],
      files: expect.arrayContaining([{ name: "servers.json", state: "whole" }]),
    });
    expect(await readFile(file, "utf8")).toContain("9/other");
  });

  test("R15: how long it takes to write it is measured, and how often that fails", async () => {
    const { file, operations, metrics, close } = await opened();
    await operations.put({ name: "docs", endpoint: "https://host/mcp" });
    await rm(path.dirname(file), { recursive: true });
    await writeFile(path.dirname(file), "");
    onTestFinished(() => rm(path.dirname(file), { force: true }));
    await expect(operations.put({ name: "more", endpoint: "https://more/mcp" })).rejects.toMatchObject({
      code: "REGISTRY_IO",
    });
    await close();
    const text = await metrics.exposition();
    expect(text).toContain("brainwav_mcp_registry_flush_duration_seconds_count 1");
  });

  test("that cannot be written at the end ends all the same, which is logged", async () => {
    const { logger, close } = await opened();
    vi.spyOn(RegistryMemoryCache.prototype, "close").mockRejectedValueOnce(new Error("the disk is full"));
    await close();
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: expect.objectContaining({ err: new Error("the disk is full") }),
      message: "The registry could not be written at the end",
    });
  });

  test("whose disk hangs at the end is not waited for for ever", async () => {
    const time = new ManualTime();
    const { logger, close } = await opened(time);
    vi.spyOn(RegistryMemoryCache.prototype, "close").mockReturnValueOnce(new Promise(() => {}));
    const closed = close();
    await time.advance(3_000);
    await closed;
    expect(logger.messages("error")).toEqual(["The registry could not be written at the end"]);
    expect(time.pending).toBe(0);
  });
});
