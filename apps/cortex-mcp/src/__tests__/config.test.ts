import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.js";
import { isLoopbackHost } from "../config/loopback.js";
import { configJsonSchema } from "../config/schema.js";
import { settings } from "../config/settings.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

async function load(file: unknown, env: Record<string, string> = {}, flags: JsonObject = {}) {
  const folder = await temporaryFolder();
  const at = path.join(folder, "config.json");
  if (file !== undefined) await writeFile(at, typeof file === "string" ? file : JSON.stringify(file));
  return loadConfig({ file: at, fileRequired: false, env, cwd: "/working/folder", flags });
}

describe("configuration", () => {
  test("has these defaults", async () => {
    expect(await load(undefined)).toEqual({
      host: "127.0.0.1",
      port: 7420,
      allowedHosts: [],
      allowedOrigins: [],
      legacySse: false,
      names: { separator: "__", maxLength: 50, prefix: "always" },
      lists: { ttlMs: 300_000, pageSize: 1_000 },
      cache: { bytes: 33_554_432 },
      startup: { width: "adaptive", graceMs: 2_000, maxMs: 20_000 },
      children: { start: "eager", idleMs: 0 },
      limits: {
        bodyBytes: 4_194_304,
        headersMs: 5_000,
        requestMs: 30_000,
        connections: 10_000,
        slowReaderMs: 30_000,
      },
      streams: { keepMs: 60_000, maxConnectionMs: 0 },
      serviceMap: {
        maxStaleMs: 604_800_000,
        timeoutMs: 5_000,
        refreshIntervalMs: 300_000,
        refreshSync: false,
        holdRemovals: true,
      },
      log: { level: "info" },
      drainMs: 5_000,
      drainMinMs: 250,
    });
  });

  test("flags win over the environment, that over the file, and that over the defaults", async () => {
    const file = { $schema: "./schema.json", port: 1, host: "::1", names: { separator: ".", maxLength: 40 } };
    const env = { CORTEX_MCP_PORT: "2", CORTEX_MCP_NAMES_MAX_LENGTH: "30", CORTEX_MCP_LOG_LEVEL: "" };
    const config = await load(file, env, { port: 3 });
    expect(config).toMatchObject({ port: 3, host: "::1", names: { separator: ".", maxLength: 30, prefix: "always" } });
    expect((await load(file, env)).port).toBe(2);
    expect((await load(file)).port).toBe(1);
    expect(config.log.level).toBe("info");
  });

  test("defaults of the program at hand give way to the file", async () => {
    const folder = await temporaryFolder();
    const sources = { file: path.join(folder, "no.json"), fileRequired: false, env: {}, cwd: "/", flags: {} };
    const base = { log: { level: "warn" } };
    expect((await loadConfig({ ...sources, base })).log.level).toBe("warn");
    expect((await loadConfig({ ...sources, base, env: { CORTEX_MCP_LOG_LEVEL: "debug" } })).log.level).toBe("debug");
  });

  test("every setting has an environment variable, lists with commas between", async () => {
    expect(settings().map(({ variable }) => variable)).toEqual([
      "CORTEX_MCP_HOST",
      "CORTEX_MCP_PORT",
      "CORTEX_MCP_ALLOWED_HOSTS",
      "CORTEX_MCP_ALLOWED_ORIGINS",
      "CORTEX_MCP_LEGACY_SSE",
      "CORTEX_MCP_NAMES_SEPARATOR",
      "CORTEX_MCP_NAMES_MAX_LENGTH",
      "CORTEX_MCP_NAMES_PREFIX",
      "CORTEX_MCP_LISTS_TTL_MS",
      "CORTEX_MCP_LISTS_PAGE_SIZE",
      "CORTEX_MCP_CACHE_BYTES",
      "CORTEX_MCP_STARTUP_WIDTH",
      "CORTEX_MCP_STARTUP_GRACE_MS",
      "CORTEX_MCP_STARTUP_MAX_MS",
      "CORTEX_MCP_CHILDREN_START",
      "CORTEX_MCP_CHILDREN_IDLE_MS",
      "CORTEX_MCP_LIMITS_BODY_BYTES",
      "CORTEX_MCP_LIMITS_HEADERS_MS",
      "CORTEX_MCP_LIMITS_REQUEST_MS",
      "CORTEX_MCP_LIMITS_CONNECTIONS",
      "CORTEX_MCP_LIMITS_SLOW_READER_MS",
      "CORTEX_MCP_STREAMS_KEEP_MS",
      "CORTEX_MCP_STREAMS_MAX_CONNECTION_MS",
      "CONNECTORS_SERVICE_MAP_URL",
      "CONNECTORS_KEYS_FILE",
      "CORTEX_MCP_SERVICE_MAP_API_KEY",
      "CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS",
      "CORTEX_MCP_SERVICE_MAP_ALLOWED_ORIGINS",
      "CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS",
      "CORTEX_MCP_SERVICE_MAP_TIMEOUT_MS",
      "MCP_CONNECTOR_REFRESH_INTERVAL_MS",
      "MCP_CONNECTOR_REFRESH_SYNC",
      "CORTEX_MCP_SERVICE_MAP_HOLD_REMOVALS",
      "CORTEX_MCP_LOG_LEVEL",
      "CORTEX_MCP_DRAIN_MS",
      "CORTEX_MCP_DRAIN_MIN_MS",
    ]);
    const env = { CORTEX_MCP_ALLOWED_HOSTS: "a.example, b.example", CORTEX_MCP_LISTS_TTL_MS: "5" };
    expect(await load(undefined, env)).toMatchObject({
      allowedHosts: ["a.example", "b.example"],
      lists: { ttlMs: 5 },
    });
  });

  test("a setting that is a number or a word is either in the environment too", async () => {
    const widthOf = async (text: string) => (await load(undefined, { CORTEX_MCP_STARTUP_WIDTH: text })).startup.width;
    expect([await widthOf("16"), await widthOf("adaptive")]).toEqual([16, "adaptive"]);
  });

  test.each([
    ["{", {}, {}, /config\.json is not JSON: .+; mend it or move it away$/],
    ["[]", {}, {}, /config\.json: the whole file must be a JSON object, such as \{"port": 7420\}$/],
    [{ prot: 1 }, {}, {}, /config\.json: unknown key "prot"; did you mean "port"\?$/],
    [
      { names: { seperator: "." } },
      {},
      {},
      /config\.json: unknown key "names\.seperator"; did you mean "separator"\?$/,
    ],
    [{ zebra: 1 }, {}, {}, /config\.json: unknown key "zebra"$/],
    [{ port: "x" }, {}, {}, /config\.json: port must be a whole number from 0 to 65535$/],
    [{ startup: { width: 0 } }, {}, {}, /startup\.width must be a whole number from 1 to 1024 or adaptive$/],
    [
      {},
      { CORTEX_MCP_STARTUP_WIDTH: "wide" },
      {},
      /CORTEX_MCP_STARTUP_WIDTH must be a whole number from 1 to 1024 or adaptive$/,
    ],
    [{ names: [] }, {}, {}, /config\.json: names must be a JSON object$/],
    [{ names: { prefix: "some" } }, {}, {}, /config\.json: names\.prefix must be one of always, auto, never$/],
    [
      { names: { separator: "" } },
      {},
      {},
      /config\.json: names\.separator must be 1 to 4 letters, digits, '_', '.' or '-'$/,
    ],
    [{ allowedHosts: "h" }, {}, {}, /config\.json: allowedHosts must be a list of texts$/],
    [{ allowedHosts: [""] }, {}, {}, /config\.json: allowedHosts\.0 must be a text that is not empty$/],
    [
      { host: "0.0.0.0" },
      {},
      {},
      /config\.json: host: only this machine may be served until inbound authentication exists: use 127\.0\.0\.1, ::1 or localhost$/,
    ],
    [{}, { CORTEX_MCP_PROT: "1" }, {}, /^CORTEX_MCP_PROT is no setting; did you mean "CORTEX_MCP_PORT"\?$/],
    [{}, { CORTEX_MCP_ZEBRAS: "1" }, {}, /^CORTEX_MCP_ZEBRAS is no setting; unset it$/],
    [{}, { CORTEX_MCP_PORT: "web" }, {}, /^CORTEX_MCP_PORT must be a whole number from 0 to 65535$/],
    [{}, { CORTEX_MCP_PORT: "-1" }, {}, /^CORTEX_MCP_PORT must be a whole number from 0 to 65535$/],
    [{}, {}, { port: "web" }, /^--port must be a whole number from 0 to 65535$/],
    [{}, {}, { port: 65_536 }, /^--port must be a whole number from 0 to 65535$/],
  ])("refuses the file %j, the environment %j, the flags %j, in one line", async (file, env, flags, message) => {
    const refusal: unknown = await load(file, env, flags).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "USER_INPUT", message: expect.stringMatching(message) });
    expect((refusal as Error).message).not.toContain("\n");
  });

  test("a byte order mark, as editors on Windows put it in front, is no part of the file", async () => {
    const file = path.join(await temporaryFolder(), "config.json");
    await writeFile(file, '\uFEFF{"port":7}');
    expect(await loadConfig({ file, fileRequired: true, env: {}, cwd: "/", flags: {} })).toMatchObject({ port: 7 });
  });

  test("a file that somebody named must exist, and any file must be readable", async () => {
    const folder = await temporaryFolder();
    const sources = { env: {}, cwd: "/", flags: {}, fileRequired: true };
    await expect(loadConfig({ ...sources, file: path.join(folder, "no.json") })).rejects.toThrow(
      /^there is no file .+no\.json; name an existing one with --config$/,
    );
    await expect(loadConfig({ ...sources, file: folder })).rejects.toThrow(
      `cannot read ${folder}: there is a folder in its place: move it away`,
    );
  });

  test.each([
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["localhost", true],
    ["::1", true],
    ["0:0:0:0:0:0:0:1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["::2", false],
    ["1::1", false],
    ["10.0.0.1", false],
    ["example.com", false],
    ["127.evil.example", false],
  ])("%s is loopback: %s", (host, loopback) => {
    expect(isLoopbackHost(host)).toBe(loopback);
  });
});

describe("config commands", () => {
  test("path and schema print what they say", async () => {
    const io = await createTestIo();
    expect(await io.run("config", "path")).toEqual({ code: 0, out: `${io.home}/mcp/config.json`, err: "" });
    const json = await io.run("config", "path", "--json");
    expect(JSON.parse(json.out)).toEqual({ config: `${io.home}/mcp/config.json` });
    const schema = await io.run("config", "schema");
    expect(JSON.parse(schema.out)).toEqual(configJsonSchema());
  });

  test("the schema shipped with the package is the one in force (regenerate it with: cortex-mcp config schema)", async () => {
    const shipped = await readFile(new URL("../../config.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(shipped)).toEqual(configJsonSchema());
  });

  test("validate accepts a good file and names what is wrong with a bad one", async () => {
    const io = await createTestIo();
    const file = `${io.home}/mcp/config.json`;
    expect(await io.run("config", "validate")).toEqual({
      code: 0,
      out: `${file} and the environment are valid.`,
      err: "",
    });
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '{"port":1,"drianMs":2}');
    expect(await io.run("config", "validate")).toEqual({
      code: 1,
      out: "",
      err: `cortex-mcp: ${file}: unknown key "drianMs"; did you mean "drainMs"?`,
    });
    const json = await io.run("config", "validate", file, "--json");
    expect([json.code, JSON.parse(json.out)]).toEqual([
      1,
      { error: { code: "USER_INPUT", message: `${file}: unknown key "drianMs"; did you mean "drainMs"?` } },
    ]);
    await writeFile(`${io.home}/other.json`, '{"port":1}');
    const other = await io.run("config", "validate", `${io.home}/other.json`, "--json");
    expect(JSON.parse(other.out)).toMatchObject({ file: `${io.home}/other.json`, config: { port: 1 } });
  });
});
