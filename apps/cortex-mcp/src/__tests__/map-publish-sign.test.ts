import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { jsonFile, manifestOf, SECRET } from "./map-publish-fixture.js";
import { createTestIo } from "./test-io.js";

const withSecret = () => createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET } });

describe("R3b: map sign and map verify", () => {
  test("R2: what sign prints, verify accepts, from a file and from standard input", async () => {
    const io = await withSecret();
    const manifest = await jsonFile(io, "manifest.json", manifestOf("docs", "wiki"));
    const signed = await io.run("map", "sign", manifest);
    expect([signed.code, signed.err]).toEqual([0, ""]);
    const file = await jsonFile(io, "map.json", signed.out);
    const verified = await io.run("map", "verify", "map.json");
    const { id, generatedAt } = JSON.parse(signed.out) as { id: string; generatedAt: string };
    expect([verified.code, verified.err]).toEqual([0, ""]);
    const expiresAt = new Date(Date.parse(generatedAt) + 300_000).toISOString();
    for (const word of [id, generatedAt, expiresAt, "2 connectors: docs, wiki", "an HMAC key without a name"]) {
      expect(verified.out).toContain(word);
    }
    const piped = await createTestIo({
      env: { CONNECTORS_SIGNATURE_KEY: SECRET },
      input: await readFile(file, "utf8"),
    });
    expect(JSON.parse((await piped.run("map", "verify", "-", "--json")).out)).toEqual({
      ...{ id, brand: "Example", generatedAt, ttlSeconds: 300, expiresAt, keyId: null },
      connectors: ["docs", "wiki"].map((key) => ({ id: key, version: "1.0.0", status: "enabled" })),
    });
  });

  test("sign reads a manifest from standard input; a map without connectors is fine", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET }, input: JSON.stringify(manifestOf()) });
    await jsonFile(io, "map.json", (await io.run("map", "sign", "-")).out);
    expect((await io.run("map", "verify", "map.json")).out).toContain("connectors: none");
  });

  test("--out writes a file that a web server may read, in one step, and says until when it is good", async () => {
    const io = await withSecret();
    await jsonFile(io, "manifest.json", manifestOf("docs"));
    await jsonFile(io, "map.json", "the old one");
    const text = await io.run("map", "sign", "manifest.json", "--out", "map.json");
    const json = await io.run("map", "sign", "manifest.json", "--out", "map.json", "--json");
    const map = JSON.parse(await readFile(path.join(io.cwd, "map.json"), "utf8")) as { id: string };
    expect(text.out).toMatch(/^Wrote the signed map \S+ of 1 connector to .*map\.json; gateways take it until 2\d{3}-/);
    expect(JSON.parse(json.out)).toMatchObject({
      id: map.id,
      keyId: null,
      connectors: 1,
      file: path.join(io.cwd, "map.json"),
    });
    expect((await stat(path.join(io.cwd, "map.json"))).mode & 0o777).toBe(0o644);
    expect((await readdir(io.cwd)).toSorted()).toEqual(["manifest.json", "map.json"]);
  });

  test("a disabled connector is told apart", async () => {
    const io = await withSecret();
    const { connectors, ...rest } = manifestOf("docs") as { connectors: object[] };
    await jsonFile(io, "m.json", { ...rest, connectors: [{ ...connectors[0], status: "disabled" }] });
    await jsonFile(io, "map.json", (await io.run("map", "sign", "m.json")).out);
    expect((await io.run("map", "verify", "map.json")).out).toContain("docs (disabled)");
  });

  test("verify takes CONNECTORS_KEYS_FILE beside CONNECTORS_SIGNATURE_KEY, and --keys instead of both", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET, CONNECTORS_KEYS_FILE: "public.json" } });
    await jsonFile(io, "m.json", manifestOf("docs"));
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "pair");
    await jsonFile(io, "by-secret.json", (await io.run("map", "sign", "m.json")).out);
    await jsonFile(io, "by-pair.json", (await io.run("map", "sign", "m.json", "--keys", "keys.json")).out);
    expect((await io.run("map", "verify", "by-secret.json")).code).toBe(0);
    expect((await io.run("map", "verify", "by-pair.json")).out).toContain("key: pair");
    const refused = await io.run("map", "verify", "by-secret.json", "--keys", "public.json");
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("(rule: unknown-key)") });
    await io.run("map", "keygen", "--out", "other.json", "--public", "other-public.json", "--kid", "other");
    const other = await io.run("map", "verify", "by-pair.json", "--keys", "other-public.json");
    expect(other.err).toContain('not in the key ring (1 key): "pair" (rule: unknown-key)');
  });
});

describe("R2: map verify refuses with the place and the rule, and exits 1", () => {
  test.each<[string, (map: Record<string, unknown>) => unknown, string]>([
    ["a changed map", (map) => ({ ...map, brand: "Evil" }), "signature"],
    ["an unsigned map", ({ signature: _signature, ...map }) => map, "unsigned"],
    ["a page", () => "<html></html>", "json"],
    ["too large a map", (map) => ({ ...map, padding: "x".repeat(1_100_000) }), "size"],
    ["another key's map", (map) => ({ ...map, kid: "x" }), "unknown-key"],
  ])("%s", async (_name, change, rule) => {
    const io = await withSecret();
    await jsonFile(io, "m.json", manifestOf("docs"));
    const map = JSON.parse((await io.run("map", "sign", "m.json")).out) as Record<string, unknown>;
    await jsonFile(io, "bad.json", change(map));
    const text = await io.run("map", "verify", "bad.json");
    expect(text).toMatchObject({ code: 1, out: "" });
    expect(text.err).toMatch(new RegExp(`^cortex-mcp: bad\\.json: .+ \\(rule: ${rule}\\)$`));
    const json = await io.run("map", "verify", "bad.json", "--json");
    expect(json).toMatchObject({ code: 1, err: "" });
    expect(JSON.parse(json.out)).toEqual({
      error: { code: "SERVICE_MAP", message: expect.stringContaining("bad.json"), rule },
    });
  });

  test("one that has expired, and one from the future", async () => {
    const io = await withSecret();
    await jsonFile(io, "m.json", manifestOf("docs"));
    const { clock } = io.system;
    const at = (deltaMs: number) => ({ ...io, system: { ...io.system, clock: { now: () => clock.now() + deltaMs } } });
    const { run } = await import("../run.js");
    for (const [deltaMs, rule] of [
      [-301_000, "expired"],
      [120_000, "future"],
    ] as const) {
      const before = io.outLines.length;
      await run(["map", "sign", "m.json"], at(deltaMs));
      await jsonFile(io, "map.json", io.outLines[before]);
      expect((await io.run("map", "verify", "map.json")).err).toContain(`(rule: ${rule})`);
    }
  });
});

describe("R3b: what sign and verify cannot work with", () => {
  test.each<[string, readonly string[], Record<string, string>, string]>([
    ["no key to sign with", ["sign", "m.json"], {}, "there is no key to sign with; name a private key set with --keys"],
    ["a short key", ["sign", "m.json"], { CONNECTORS_SIGNATURE_KEY: "short-canary" }, "fewer than 32 bytes"],
    [
      "a name without a set",
      ["sign", "m.json", "--kid", "a"],
      { CONNECTORS_SIGNATURE_KEY: SECRET },
      "name the set with --keys",
    ],
    [
      "a name that is not in the set",
      ["sign", "m.json", "--keys", "keys.json", "--kid", "b"],
      {},
      'it has no key "b"; it has "a"',
    ],
    ["a public set", ["sign", "m.json", "--keys", "public.json"], {}, "it is a public key"],
    ["a set that is none", ["sign", "m.json", "--keys", "m.json"], {}, "cannot use the key set"],
    ["no manifest", ["sign", "none.json", "--keys", "keys.json"], {}, "none.json: there is no such file"],
    ["a folder", ["sign", ".", "--keys", "keys.json"], {}, "cannot read the manifest"],
    [
      "a bad manifest",
      ["sign", "bad.json", "--keys", "keys.json"],
      {},
      "connectors[0].scopes: must name at least one scope",
    ],
    [
      "writing over the manifest",
      ["sign", "m.json", "--keys", "keys.json", "--out", "m.json"],
      {},
      "--out would write over",
    ],
    [
      "writing over the keys",
      ["sign", "m.json", "--keys", "keys.json", "--out", "keys.json"],
      {},
      "--out would write over",
    ],
    [
      "a folder that is not there",
      ["sign", "m.json", "--keys", "keys.json", "--out", "no/map.json"],
      {},
      "no/map.json: there is no folder ",
    ],
    [
      "a folder in the file's place",
      ["sign", "m.json", "--keys", "keys.json", "--out", "."],
      {},
      ": there is a folder in its place",
    ],
    [
      "a name that the system refuses",
      ["sign", "m.json", "--keys", "keys.json", "--out", "x".repeat(300)],
      {},
      ": the system refuses it (ENAMETOOLONG)",
    ],
    [
      "a URL of another scheme",
      ["verify", "ftp://u:s3cret@host/map", "--keys", "public.json"],
      {},
      "the URL of a service map must be http or https, not ftp",
    ],
    [
      "a URL that is none",
      ["verify", "http://[", "--keys", "public.json"],
      { CORTEX_MCP_SERVICE_MAP_API_KEY: "canary" },
      "(not a URL)",
    ],
    ["no key to check with", ["verify", "m.json"], {}, "there is no key to check with; use --keys FILE"],
    ["an empty key", ["verify", "m.json"], { CONNECTORS_SIGNATURE_KEY: "" }, "there is no key to check with"],
    ["no map", ["verify", "none.json", "--keys", "public.json"], {}, "cannot read the service map"],
    ["no keys file", ["verify", "m.json", "--keys", "none.json"], {}, "none.json"],
  ])("%s", async (_name, words, env, message) => {
    const io = await createTestIo({ env });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const { connectors, ...rest } = manifestOf("docs") as { connectors: object[] };
    await jsonFile(io, "bad.json", { ...rest, connectors: [{ ...connectors[0], scopes: [] }] });
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "a");
    const { code, out, err } = await io.run("map", ...words);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
    expect(err).not.toMatch(/\.tmp|canary|s3cret/);
    expect(err.split("\n")).toHaveLength(1);
    expect(err).not.toContain("canary");
  });
});
