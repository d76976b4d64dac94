import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { FollowedSource, GatewaySettings } from "@cortex-os/mcp";
import { systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { changedSettings, isLive } from "../config/config-changes.js";
import { LiveConfig } from "../config/live-config.js";
import { loadConfig } from "../config/load.js";
import { settings } from "../config/settings.js";
import type { LeveledLogger } from "../serve/create-logger.js";
import { userError } from "../user-error.js";
import { temporaryFolder } from "./test-io.js";

const REFUSED = "The configuration is refused; the settings before it stay";

class Log extends RecordingLogger implements LeveledLogger {
  level = "info";
}

/** A gateway that only remembers how it is configured. */
class ConfiguredDouble {
  readonly settings: GatewaySettings[] = [];
  readonly maps: (FollowedSource | undefined)[] = [];
  problem: string | undefined;

  reconfigure(given: GatewaySettings): void {
    this.settings.push(given);
  }

  async followServiceMap(next: FollowedSource | undefined): Promise<void> {
    this.maps.push(next);
    await Promise.resolve();
  }

  setProblem(_about: string, problem: string | undefined): void {
    this.problem = problem;
  }
}

/** A configuration that is followed from a file in a folder of its own. */
async function following(first?: unknown, options: { env?: Record<string, string>; mapFailure?: Error } = {}) {
  const folder = await temporaryFolder();
  const file = path.join(folder, "home", "config.json");
  const write = async (content: unknown): Promise<void> => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.new`, typeof content === "string" ? content : JSON.stringify(content));
    await rename(`${file}.new`, file);
  };
  if (first !== undefined) await write(first);
  const { env = {} } = options;
  const sources = { file, fileRequired: false, env, cwd: folder, flags: { port: 0 } };
  const logger = new Log();
  const gateway = new ConfiguredDouble();
  const live = new LiveConfig({
    ...{ sources, inForce: await loadConfig(sources), logger, timers: systemTimers },
    followMap: async () => {
      if (options.mapFailure !== undefined) throw options.mapFailure;
      return Promise.resolve(undefined);
    },
  });
  onTestFinished(() => live.close());
  return { file, write, logger, gateway, live };
}

describe("a configuration that is followed (issue 4, hot reload)", () => {
  test("what changed in the file is applied, and named in the log", async () => {
    const { write, logger, gateway, live } = await following();
    await live.follow(gateway);
    await write({ names: { separator: "." }, log: { level: "debug" } });
    await vi.waitFor(() => expect(gateway.settings).toHaveLength(1));
    expect(gateway.settings[0]?.names?.separator).toBe(".");
    expect(logger.level).toBe("debug");
    expect(gateway.maps).toEqual([]);
    expect(logger.lines).toEqual([
      { level: "info", fields: { changed: ["names.separator", "log.level"] }, message: "Configuration changed" },
    ]);
  });

  test("what changed between the start and the following is applied too; the same again is no change", async () => {
    const { write, gateway, live, logger } = await following({ lists: { ttlMs: 1 } });
    await write({ lists: { ttlMs: 2 } });
    await live.follow(gateway);
    expect(gateway.settings).toMatchObject([{ lists: { ttlMs: 2 } }]);
    expect(await live.reload()).toEqual({ changed: [], needRestart: [] });
    expect(gateway.settings).toHaveLength(1);
    expect(logger.lines).toHaveLength(1);
  });

  test("environment and flags stay above the file", async () => {
    const { write, gateway, live } = await following(undefined, { env: { CORTEX_MCP_LISTS_TTL_MS: "7" } });
    await live.follow(gateway);
    await write({ lists: { ttlMs: 9 }, port: 1 });
    expect(await live.reload()).toEqual({ changed: [], needRestart: [] });
    expect(gateway.settings).toEqual([]);
  });

  test("what the gateway may keep is bounded anew at once", async () => {
    const { write, gateway, live } = await following();
    await live.follow(gateway);
    await write({ cache: { bytes: 0 } });
    expect(await live.reload()).toEqual({ changed: ["cache.bytes"], needRestart: [] });
    expect(gateway.settings).toMatchObject([{ cache: { bytes: 0 } }]);
  });

  test("what needs a restart is named once, for as long as it differs from what is in force", async () => {
    const { write, gateway, live, logger } = await following();
    await live.follow(gateway);
    await write({ drainMs: 1, limits: { bodyBytes: 2_048 }, allowedHosts: ["a"], names: { prefix: "never" } });
    const needRestart = ["allowedHosts", "limits.bodyBytes", "drainMs"];
    expect(await live.reload()).toEqual({ changed: ["names.prefix"], needRestart });
    expect(await live.reload()).toEqual({ changed: [], needRestart });
    expect(logger.lines.filter(({ level }) => level === "warn")).toEqual([
      { level: "warn", fields: { settings: needRestart }, message: "Changed settings need a restart to take effect" },
    ]);
    await write({});
    expect(await live.reload()).toEqual({ changed: ["names.prefix"], needRestart: [] });
  });

  test("a file that is refused changes nothing: it is told once with place and reason, and shown until it is mended", async () => {
    const { file, write, gateway, live, logger } = await following({ names: { separator: "." } });
    await live.follow(gateway);
    await write({ names: { separator: "much too long" }, lists: { ttlMs: 5 } });
    const reason = `${file}: names.separator must be 1 to 4 letters, digits, '_', '.' or '-'`;
    await expect(live.reload()).rejects.toMatchObject({ code: "USER_INPUT", message: reason });
    await expect(live.reload()).rejects.toThrow(reason);
    await vi.waitFor(() => expect(logger.lines).toEqual([{ level: "error", fields: { reason }, message: REFUSED }]));
    expect(gateway.problem).toBe(`the configuration is refused, and the settings before it stay: ${reason}`);
    expect(gateway.settings).toEqual([]);
    await write("{");
    await vi.waitFor(() => expect(logger.messages("error")).toHaveLength(2));
    expect(gateway.problem).toContain("is not JSON");
    await write({ names: { separator: "." } });
    await vi.waitFor(() => expect(gateway.problem).toBeUndefined());
    expect(gateway.settings).toEqual([]);
  });

  test("a service map that cannot be followed refuses the whole configuration", async () => {
    const mapFailure = userError("there is no key");
    const { write, gateway, live, logger } = await following({}, { mapFailure });
    await live.follow(gateway);
    await write({ serviceMap: { url: "https://maps.example/map" }, names: { separator: "." }, log: { level: "warn" } });
    await expect(live.reload()).rejects.toThrow("there is no key");
    expect([gateway.settings, gateway.maps, logger.level]).toEqual([[], [], "info"]);
    expect(gateway.problem).toContain("there is no key");
  });

  test("a changed section of the service map replaces what is followed, and nothing else does", async () => {
    const { write, gateway, live } = await following();
    await live.follow(gateway);
    await write({ serviceMap: { url: "https://maps.example/map" } });
    expect((await live.reload()).changed).toEqual(["serviceMap.url"]);
    await write({ serviceMap: { url: "https://maps.example/map", timeoutMs: 9 }, startup: { maxMs: 5 } });
    expect((await live.reload()).changed).toEqual(["startup.maxMs", "serviceMap.timeoutMs"]);
    await write({ serviceMap: { url: "https://maps.example/map", timeoutMs: 9 } });
    expect((await live.reload()).changed).toEqual(["startup.maxMs"]);
    expect(gateway.maps).toHaveLength(2);
    expect(gateway.settings).toMatchObject([{ startup: { maxMs: 5 } }, { startup: { maxMs: 20_000 } }]);
  });

  test("a bug while it is applied is logged with its stack", async () => {
    const mapFailure = new Error("a bug");
    const { write, gateway, live, logger } = await following({}, { mapFailure });
    await live.follow(gateway);
    await write({ serviceMap: { url: "https://maps.example/map" } });
    await expect(live.reload()).rejects.toThrow("a bug");
    expect(logger.lines[0]?.fields).toEqual({ err: mapFailure });
  });

  test("a file that is moved away to be saved anew is not taken for one that is gone; one that stays away is", async () => {
    const { file, write, gateway, live } = await following({ lists: { ttlMs: 1 } });
    await live.follow(gateway);
    await rm(file);
    await write({ lists: { ttlMs: 2 } });
    await vi.waitFor(() => expect(gateway.settings).not.toEqual([]), 10_000);
    expect(gateway.settings).toMatchObject([{ lists: { ttlMs: 2 } }]);
    await rm(file);
    await vi.waitFor(() => expect(gateway.settings).toHaveLength(2), 10_000);
    expect(gateway.settings[1]).toMatchObject({ lists: { ttlMs: 300_000 } });
  });

  test("before it follows a gateway and after it was closed nothing is read", async () => {
    const { write, gateway, live, logger } = await following();
    await expect(live.reload()).rejects.toMatchObject({ code: "NOT_READY" });
    await live.follow(gateway);
    await live.close();
    await write({ names: { separator: "." } });
    await expect(live.reload()).rejects.toMatchObject({ code: "NOT_READY" });
    expect([gateway.settings, gateway.problem, logger.lines]).toEqual([[], undefined, []]);
  });

  test("one that was closed before its watch was there leaves none", async () => {
    const { gateway, live } = await following();
    const starting = live.follow(gateway);
    await live.close();
    await starting;
    expect(gateway.settings).toEqual([]);
  });
});

describe("which settings take effect without a restart", () => {
  test("is known of every setting", () => {
    const names = settings().map((setting) => setting.path.join("."));
    expect(names.filter((name) => !isLive(name))).toEqual([
      "host",
      "port",
      "allowedHosts",
      "allowedOrigins",
      "legacySse",
      "children.start",
      "children.idleMs",
      "limits.bodyBytes",
      "limits.headersMs",
      "limits.requestMs",
      "limits.connections",
      "limits.slowReaderMs",
      "streams.keepMs",
      "streams.maxConnectionMs",
      "drainMs",
      "drainMinMs",
    ]);
  });

  test("a setting that is left out in one and written in the other is a change", async () => {
    const folder = await temporaryFolder();
    const from = { file: path.join(folder, "no.json"), fileRequired: false, env: {}, cwd: "/", flags: {} };
    const before = await loadConfig(from);
    const after = await loadConfig({ ...from, flags: { serviceMap: { credentialOrigins: ["https://a.example"] } } });
    expect(changedSettings(before, after)).toEqual(["serviceMap.credentialOrigins"]);
    expect(changedSettings(after, before)).toEqual(["serviceMap.credentialOrigins"]);
    expect(changedSettings(after, after)).toEqual([]);
  });
});
