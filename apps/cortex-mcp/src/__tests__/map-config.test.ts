import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseConnectorFeatureFlags } from "@cortex-os/mcp";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

const MAP = "http://127.0.0.1:1/v1/connectors/service-map";

async function load(serviceMap: unknown, env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const file = path.join(folder, "config.json");
  await writeFile(file, JSON.stringify({ serviceMap }));
  const { serviceMap: effective } = await loadConfig({ file, fileRequired: true, env, cwd: "/working", flags: {} });
  return { folder, ...effective };
}

type Refusal = readonly [env: Record<string, string>, message: string];

const REFUSALS: readonly Refusal[] = [
  [{ MCP_CONNECTOR_REFRESH_SYNC: "yes" }, "MCP_CONNECTOR_REFRESH_SYNC must be true or false"],
  [{ MCP_CONNECTOR_REFRESH_SYNC: "2" }, "MCP_CONNECTOR_REFRESH_SYNC must be true or false"],
  [
    { MCP_CONNECTOR_REFRESH_INTERVAL_MS: "5m" },
    "MCP_CONNECTOR_REFRESH_INTERVAL_MS must be a whole number from 1 to 2147483647",
  ],
  [
    { MCP_CONNECTOR_REFRESH_INTERVAL_MS: "0" },
    "MCP_CONNECTOR_REFRESH_INTERVAL_MS must be a whole number from 1 to 2147483647",
  ],
  [
    { MCP_CONNECTOR_REFRESH_INTERVAL_MS: "-1" },
    "MCP_CONNECTOR_REFRESH_INTERVAL_MS must be a whole number from 1 to 2147483647",
  ],
  [
    { CONNECTORS_SERVICE_MAP_URL: "ftp://s3cret@host" },
    "CONNECTORS_SERVICE_MAP_URL must be an http or https URL, such as https://host/v1/connectors/service-map",
  ],
  [
    { CONNECTORS_SERVICE_MAP_URL: "s3cret" },
    "CONNECTORS_SERVICE_MAP_URL must be an http or https URL, such as https://host/v1/connectors/service-map",
  ],
  [
    { CONNECTORS_SERVICE_MAP_URL: "https://s3cret@host/map" },
    "CONNECTORS_SERVICE_MAP_URL must hold no user and no password; give its key as CORTEX_MCP_SERVICE_MAP_API_KEY",
  ],
  [
    { CORTEX_MCP_SERVICE_MAP_URL: MAP },
    "CORTEX_MCP_SERVICE_MAP_URL is no setting; it is called CONNECTORS_SERVICE_MAP_URL",
  ],
  [
    { CORTEX_MCP_SERVICE_MAP_API_KYE: "s3cret" },
    'CORTEX_MCP_SERVICE_MAP_API_KYE is no setting; did you mean "CORTEX_MCP_SERVICE_MAP_API_KEY"?',
  ],
  ...["https://a.example/", "https://a.example/x", "https://a.example:443", "a.example", "ws://a.example"].map(
    (origin) =>
      [
        { CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS: `https://ok.example,${origin}` },
        "CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS must be an origin, such as https://host or http://host:8080: no path, no user, no default port",
      ] as Refusal,
  ),
];

describe("R7: the configuration of the service map", () => {
  test("takes the variables that the plan named, over the file", async () => {
    const file = { url: "https://old.example/map", refreshSync: false, refreshIntervalMs: 7, credentialOrigins: [] };
    const env = {
      CONNECTORS_SERVICE_MAP_URL: MAP,
      MCP_CONNECTOR_REFRESH_SYNC: "true",
      MCP_CONNECTOR_REFRESH_INTERVAL_MS: "60000",
      CORTEX_MCP_SERVICE_MAP_ALLOWED_ORIGINS: "http://10.0.0.1:8080, https://a.example",
      CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS: "31536000000",
      CORTEX_MCP_SERVICE_MAP_HOLD_REMOVALS: "false",
      CORTEX_MCP_SERVICE_MAP_API_KEY: "k",
    };
    expect(await load(file, env)).toMatchObject({
      url: MAP,
      refreshSync: true,
      refreshIntervalMs: 60_000,
      credentialOrigins: [],
      allowedOrigins: ["http://10.0.0.1:8080", "https://a.example"],
      maxStaleMs: 31_536_000_000,
      holdRemovals: false,
      apiKey: "k",
    });
    expect(await load({ refreshSync: true }, { MCP_CONNECTOR_REFRESH_SYNC: "false" })).toMatchObject({
      refreshSync: false,
    });
    expect(await load({ refreshSync: true }, { MCP_CONNECTOR_REFRESH_SYNC: "" })).toMatchObject({ refreshSync: true });
    for (const [text, refreshSync] of [
      ["TRUE", true],
      ["1", true],
      [" False ", false],
      ["0", false],
    ] as const) {
      const [over, flags] = [
        { refreshSync: !refreshSync },
        parseConnectorFeatureFlags({ MCP_CONNECTOR_REFRESH_SYNC: text }),
      ];
      expect(await load(over, { MCP_CONNECTOR_REFRESH_SYNC: text })).toMatchObject({ refreshSync });
      expect(flags.asyncRefresh).toBe(!refreshSync);
    }
  });

  test("keysFile counts from the folder of the file it is in; in the environment, from the working folder", async () => {
    const { folder, keysFile } = await load({ keysFile: "keys.json" });
    expect(keysFile).toBe(path.join(folder, "keys.json"));
    expect(await load({ keysFile: "no" }, { CONNECTORS_KEYS_FILE: "k/keys.json" })).toMatchObject({
      keysFile: "/working/k/keys.json",
    });
    expect(await load({ keysFile: "/etc/keys.json" })).toMatchObject({ keysFile: "/etc/keys.json" });
  });

  test.each(REFUSALS)("refuses %j in one line that names the variable and not its value", async (env, message) => {
    const io = await createTestIo({ env });
    for (const command of [
      ["serve", "--port", "0"],
      ["config", "validate"],
    ]) {
      expect(await io.run(...command)).toEqual({ code: 1, out: "", err: `cortex-mcp: ${message}` });
    }
  });

  test("a wrong value in the file is named with the file", async () => {
    const io = await createTestIo();
    await mkdir(path.join(io.home, "mcp"), { recursive: true });
    const file = path.join(io.home, "mcp/config.json");
    await writeFile(file, '{"serviceMap":{"refreshSync":"true","maxStale":1}}');
    expect((await io.run("config", "validate")).err).toBe(
      `cortex-mcp: ${file}: serviceMap.refreshSync must be true or false; unknown key "serviceMap.maxStale"; did you mean "maxStaleMs"?`,
    );
  });
});
