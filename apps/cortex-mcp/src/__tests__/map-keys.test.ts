import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load.js";
import { openMapKeys } from "../service-map/map-keys.js";
import { mapSettings, sendsKeyInTheClear } from "../service-map/map-settings.js";
import { CANARY_API_KEY, CANARY_KEY, ed25519 } from "./publishing.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

const URL = "http://127.0.0.1:1/v1/connectors/service-map";
const WEAK = "s3cret-of-a-few-bytes";

async function settingsOf(serviceMap: object, env: Record<string, string>) {
  const file = path.join(await temporaryFolder(), "config.json");
  await writeFile(file, JSON.stringify({ serviceMap: { url: URL, ...serviceMap } }));
  const settings = mapSettings(await loadConfig({ file, fileRequired: true, env, cwd: "/", flags: {} }), env);
  if (settings === undefined) throw new Error("no service map is configured");
  return settings;
}

async function keysFile(...keys: readonly unknown[]): Promise<string> {
  const file = path.join(await temporaryFolder(), "keys.json");
  await writeFile(file, JSON.stringify({ keys }));
  return file;
}

const oct = (kid: string, secret: string): object => ({
  kty: "oct",
  kid,
  k: Buffer.from(secret).toString("base64url"),
});

describe("R2, R7: a service map without a good key is refused at start", () => {
  test.each<[string, () => Promise<Record<string, string>>, string | RegExp]>([
    [
      "no key at all",
      async () => ({}),
      "a service map is configured and no key to check its signature: set CONNECTORS_SIGNATURE_KEY or serviceMap.keysFile",
    ],
    [
      "an empty key",
      async () => ({ CONNECTORS_SIGNATURE_KEY: "" }),
      "a service map is configured and no key to check its signature: set CONNECTORS_SIGNATURE_KEY or serviceMap.keysFile",
    ],
    [
      "a short key",
      async () => ({ CONNECTORS_SIGNATURE_KEY: WEAK }),
      "CONNECTORS_SIGNATURE_KEY has fewer than 32 bytes and could be guessed: set what openssl rand -base64 48 makes, for the publisher too, or use CONNECTORS_KEYS_FILE",
    ],
    [
      "a short key in the file",
      async () => ({ CONNECTORS_KEYS_FILE: await keysFile(oct("new", CANARY_KEY), oct("old", WEAK)) }),
      /^the key "old" in \S+keys\.json has fewer than 32 bytes and could be guessed: make a longer one with cortex-mcp map keygen --type hmac$/,
    ],
    [
      "a file without keys",
      async () => ({ CONNECTORS_KEYS_FILE: await keysFile() }),
      /keys\.json holds no key: make one/,
    ],
    ["a file that is not there", async () => ({ CONNECTORS_KEYS_FILE: "no.json" }), /\/no\.json cannot be read: /],
  ])("%s", async (_what, keys, message) => {
    const io = await createTestIo({ env: { CONNECTORS_SERVICE_MAP_URL: URL, ...(await keys()) } });
    for (const command of [["serve", "--port", "0"], ["config", "validate"], ["tools"], ["map", "diff"]]) {
      const ran = await io.run(...command);
      expect([ran.code, ran.out]).toEqual([1, ""]);
      expect(ran.err.replace(/^cortex-mcp: /, "")).toMatch(message);
      expect(ran.err).not.toContain("\n");
      expect(ran.err).not.toContain(WEAK);
    }
  });

  test("the registry's servers are listed all the same, with a warning", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SERVICE_MAP_URL: URL } });
    await io.run("add", "docs", "https://docs.example/mcp");
    const ran = await io.run("list");
    expect([ran.code, ran.out]).toEqual([0, expect.stringMatching(/^docs {2}registry {2}http/m)]);
    expect(ran.err).toBe(
      "cortex-mcp: warning: the service map's connectors are not shown: a service map is configured and no key to check its signature: set CONNECTORS_SIGNATURE_KEY or serviceMap.keysFile",
    );
    expect(await io.run("disable", "docs")).toMatchObject({ code: 0, err: "" });
  });
});

describe("the keys of a running gateway", () => {
  test("R2: are read anew each time: one is added and one removed without a restart", async () => {
    const [first, second] = [ed25519("first"), ed25519("second")];
    const file = await keysFile(...first.publicKeys);
    const { lines, logger } = collectingLogger();
    const keys = await openMapKeys(await settingsOf({ keysFile: file }, {}), logger);
    const before = await keys();
    await writeFile(file, JSON.stringify({ keys: [...first.publicKeys, ...second.publicKeys] }));
    expect((await keys()).size).toBe(2);
    await writeFile(file, JSON.stringify({ keys: second.publicKeys }));
    expect((await keys()).fingerprint).not.toBe(before.fingerprint);
    await writeFile(file, JSON.stringify({ keys: [] }));
    expect((await keys()).size).toBe(0);
    expect(lines).toEqual([]);
  });

  test("R2: a file that turns bad, or gets a short key, is told once, and the keys before it stay", async () => {
    const file = await keysFile(oct("a", CANARY_KEY));
    const { lines, logger } = collectingLogger();
    const keys = await openMapKeys(await settingsOf({ keysFile: file }, {}), logger);
    const { fingerprint } = await keys();
    await writeFile(file, JSON.stringify({ keys: [oct("a", WEAK)] }));
    expect([(await keys()).fingerprint, (await keys()).fingerprint]).toEqual([fingerprint, fingerprint]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/The new keys are not used; those before them stay valid/);
    await writeFile(file, "{");
    expect((await keys()).fingerprint).toBe(fingerprint);
    await writeFile(file, JSON.stringify({ keys: [oct("b", CANARY_KEY)] }));
    expect((await keys()).fingerprint).not.toBe(fingerprint);
    expect(lines.join("\n")).not.toContain(WEAK);
  });

  test("R2: the key of the environment and those of the file are valid together", async () => {
    const env = { CONNECTORS_SIGNATURE_KEY: CANARY_KEY };
    const settings = await settingsOf({ keysFile: await keysFile(...ed25519("x").publicKeys) }, env);
    expect((await (await openMapKeys(settings, collectingLogger().logger))()).size).toBe(2);
  });
});

describe("the publisher's API key", () => {
  test.each<[string, object, Record<string, string>, string | undefined]>([
    ["its own", {}, { CORTEX_MCP_SERVICE_MAP_API_KEY: "own", CONNECTORS_API_KEY: CANARY_API_KEY }, "own"],
    ["the connectors', at the map's own origin", {}, { CONNECTORS_API_KEY: CANARY_API_KEY }, CANARY_API_KEY],
    [
      "none, where the map's origin may not have the connectors'",
      { credentialOrigins: ["https://tools.example"] },
      { CONNECTORS_API_KEY: CANARY_API_KEY },
      undefined,
    ],
    [
      "the connectors', where its origin is listed",
      { credentialOrigins: ["http://127.0.0.1:1"] },
      { CONNECTORS_API_KEY: CANARY_API_KEY },
      CANARY_API_KEY,
    ],
    ["none, where none is set", {}, { CONNECTORS_API_KEY: "" }, undefined],
  ])("is %s", async (_what, serviceMap, env, expected) => {
    const { apiKey } = await settingsOf(serviceMap, { CONNECTORS_SIGNATURE_KEY: CANARY_KEY, ...env });
    expect(apiKey).toBe(expected);
  });

  test.each([
    ["http://maps.example/map", true],
    ["https://maps.example/map", false],
    ["http://127.0.0.1:7/map", false],
    ["http://[::1]:7/map", false],
    ["http://localhost/map", false],
  ])("on the way to %s is readable for others: %s", async (url, expected) => {
    const settings = await settingsOf({ url, apiKey: "k" }, { CONNECTORS_SIGNATURE_KEY: CANARY_KEY });
    expect(sendsKeyInTheClear(settings)).toBe(expected);
    expect(sendsKeyInTheClear({ ...settings, apiKey: undefined })).toBe(false);
  });

  test("is not shown by config validate, nor is what is secret in the URL", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: CANARY_KEY } });
    await mkdir(path.join(io.home, "mcp"), { recursive: true });
    const serviceMap = { url: "https://maps.example/map?token=s3cret", apiKey: CANARY_API_KEY };
    await writeFile(path.join(io.home, "mcp/config.json"), JSON.stringify({ serviceMap }));
    const ran = await io.run("config", "validate", "--json");
    expect(JSON.parse(ran.out)).toMatchObject({
      config: { serviceMap: { url: "https://maps.example/map?token=***", apiKey: "***" } },
    });
  });
});

function collectingLogger() {
  const lines: string[] = [];
  const add = (fields: unknown, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, logger: { debug: () => {}, info: add, warn: add, error: add } };
}
