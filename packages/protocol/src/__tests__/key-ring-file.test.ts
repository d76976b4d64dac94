import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { keyRingSource } from "../key-ring-file.js";
import { readServiceMap } from "../read-service-map.js";
import { temporaryFolder } from "./publisher-fixture.js";
import { ed25519Pair, NOW_MS, signedBody } from "./signed-maps.js";

const oct = (secret: string, kid: string): Record<string, unknown> => ({
  kty: "oct",
  kid,
  k: Buffer.from(secret).toString("base64url"),
});

async function ringFile(...keys: readonly unknown[]) {
  const file = path.join(await temporaryFolder(), "keys.json");
  const write = (...now: readonly unknown[]): Promise<void> => writeFile(file, JSON.stringify({ keys: now }));
  await write(...keys);
  return { file, write };
}

describe("R2: the key ring of a process", () => {
  test("is the secret alone, the file alone, or both together", async () => {
    const logger = new RecordingLogger();
    const { file } = await ringFile(oct("one", "a"));
    expect((await keyRingSource({ secret: "two", logger }).load()).size).toBe(1);
    expect((await keyRingSource({ file, logger }).load()).size).toBe(1);
    expect((await keyRingSource({ secret: "two", file, logger }).load()).size).toBe(2);
    expect(logger.lines).toEqual([]);
  });

  test("is an error of the user's as long as there is none", async () => {
    const logger = new RecordingLogger();
    const missing = path.join(await temporaryFolder(), "keys.json");
    await expect(keyRingSource({ logger }).load()).rejects.toMatchObject({
      code: "USER_INPUT",
      message: "There is no key: set CONNECTORS_KEYS_FILE or CONNECTORS_SIGNATURE_KEY",
    });
    expect(() => keyRingSource({ secret: "", logger })).toThrow(/CONNECTORS_SIGNATURE_KEY is empty/);
    const source = keyRingSource({ file: missing, secret: "one", logger });
    await expect(source.load()).rejects.toMatchObject({
      code: "USER_INPUT",
      message: expect.stringMatching(/^The key ring file .*keys\.json cannot be read: ENOENT/),
    });
    await writeFile(missing, JSON.stringify({ keys: [] }));
    expect((await source.load()).size).toBe(1);
  });

  test("rotates without a restart: old, both, new, and the old one is gone at once", async () => {
    const next = ed25519Pair("new");
    const { file, write } = await ringFile(oct("old secret", "old"));
    const source = keyRingSource({ file, logger: new RecordingLogger() });
    const verdicts = async (): Promise<string[]> => {
      const keys = await source.load();
      const bodies = [signedBody({ kid: "old" }, "old secret"), signedBody({ kid: "new" }, next.privateKey)];
      return bodies.map((body) => {
        const read = readServiceMap(body, { keys, nowMs: NOW_MS });
        return read.ok ? "accepted" : read.rule;
      });
    };
    expect(await verdicts()).toEqual(["accepted", "unknown-key"]);
    await write(oct("old secret", "old"), next.jwk);
    expect(await verdicts()).toEqual(["accepted", "accepted"]);
    await write(next.jwk);
    expect(await verdicts()).toEqual(["unknown-key", "accepted"]);
    await write();
    expect(await verdicts()).toEqual(["unknown-key", "unknown-key"]);
  });

  test("stays the last good one while the file is bad, and says so once per problem", async () => {
    const logger = new RecordingLogger();
    const { file, write } = await ringFile(oct("one", "a"));
    const source = keyRingSource({ file, logger });
    const good = await source.load();
    const secret = "sk-live-0123456789";

    await writeFile(file, `{"keys":[{"kty":"oct","k":"${secret}"`);
    expect(await source.load()).toBe(good);
    expect(await source.load()).toBe(good);
    expect(logger.lines).toEqual([
      {
        level: "error",
        fields: { file, reason: `The key ring file ${file}: is not JSON (byte 46)` },
        message: "The key ring file cannot be used; the keys before it stay valid",
      },
    ]);

    await write({ kty: "RSA", n: secret });
    expect(await source.load()).toBe(good);
    await rm(file);
    expect(await source.load()).toBe(good);
    expect(logger.messages("error")).toHaveLength(3);
    expect(JSON.stringify(logger.lines)).not.toContain(secret);

    await write(oct("two", "b"));
    expect((await source.load()).fingerprint).not.toBe(good.fingerprint);
    expect(logger.messages("info")).toEqual(["The key ring file is good again"]);
  });

  test("is read anew for each of many callers, in their order", async () => {
    const { file, write } = await ringFile(oct("one", "a"));
    const source = keyRingSource({ file, logger: new RecordingLogger() });
    const before = source.load();
    const after = before.then(() => write()).then(() => Promise.all(Array.from({ length: 20 }, () => source.load())));
    expect((await before).size).toBe(1);
    expect((await after).map((ring) => ring.size)).toEqual(Array.from({ length: 20 }, () => 0));
    await rm(file);
    expect((await source.load()).size).toBe(0);
  });

  test("refuses a file with one name twice, of which readers would see different keys", async () => {
    const { file } = await ringFile();
    await writeFile(file, '{"keys":[],"keys":[]}');
    await expect(keyRingSource({ file, logger: new RecordingLogger() }).load()).rejects.toMatchObject({
      message: `The key ring file ${file}: an object holds one name twice (byte 11): "keys" in the document`,
    });
  });
});
