import { rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { GatewayError } from "@cortex-os/mcp-core";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { generateKeySet } from "../generate-key.js";
import { KeyRing } from "../key-ring.js";
import { readServiceMap } from "../read-service-map.js";
import { ServiceMapPublisher, type ServiceMapPublisherOptions } from "../service-map-publisher.js";
import { signingKeyFromJwks, type SigningKey } from "../signing-key.js";
import { connectorNamed, manifestFile, manifestWith, temporaryFolder } from "./publisher-fixture.js";

const KEY: SigningKey = { key: "correct horse battery staple, long enough" };
const RING = KeyRing.fromSecret(String(KEY.key));

async function publishing(options: Partial<ServiceMapPublisherOptions> & { readonly manifestFile: string }) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const publisher = await ServiceMapPublisher.start({ key: () => KEY, clock: time, timers: time, logger, ...options });
  onTestFinished(async () => {
    await publisher.close();
    expect(time.pending).toBe(0);
  });
  return { publisher, time, logger };
}

const generatedAt = (publisher: ServiceMapPublisher): number => Date.parse(publisher.current.payload.generatedAt);

describe("R3b: a published map stays fresh", () => {
  test("it is signed again at half its time to live, and never earlier", async () => {
    const { file } = await manifestFile({ ttlSeconds: 300 });
    const { publisher, time } = await publishing({ manifestFile: file });
    const first = publisher.current;
    await time.advance(149_999);
    expect(publisher.current).toBe(first);
    await time.advance(1);
    expect(publisher.current.etag).not.toBe(first.etag);
    expect(publisher.current.payload).toMatchObject({
      brand: first.payload.brand,
      connectors: first.payload.connectors,
    });
    expect(generatedAt(publisher)).toBe(time.now());
  });

  test.each([1, 2, 3, 300])(
    "R2: whoever asks gets a map that is valid, with a time to live of %i s",
    async (ttlSeconds) => {
      const { file } = await manifestFile({ ttlSeconds });
      const { publisher, time } = await publishing({ manifestFile: file });
      for (let turn = 0; turn < 50; turn++) {
        await time.advance(97);
        const reading = readServiceMap(publisher.current.body, { keys: RING, nowMs: time.now() });
        expect(reading).toMatchObject({ ok: true });
        expect(time.now() - generatedAt(publisher)).toBeLessThanOrEqual(ttlSeconds * 500);
      }
    },
  );

  test("a machine that slept past the expiry signs at its next look", async () => {
    const { file } = await manifestFile({ ttlSeconds: 300 });
    const { publisher, time } = await publishing({ manifestFile: file });
    // In a sleep the wall clock goes on and timers do not.
    time.jump(3_600_000);
    await time.advance(1_000);
    expect(generatedAt(publisher)).toBe(time.now());
  });

  test("times and ids only ever grow, also when the clock is put back", async () => {
    const { file } = await manifestFile({ ttlSeconds: 1 });
    const { publisher, time, logger } = await publishing({ manifestFile: file, random: fixedRandom(0.9, 0.1, 0.5) });
    for (let turn = 0; turn < 200; turn++) {
      const before = publisher.current.payload;
      time.jump([0, -1, -90_000, 7, -3, 20_000][turn % 6] ?? 0);
      await time.advance(500);
      const { id, generatedAt: at } = publisher.current.payload;
      if (id === before.id) continue;
      expect(id > before.id).toBe(true);
      expect(Date.parse(at)).toBeGreaterThan(Date.parse(before.generatedAt));
    }
    expect(logger.messages("warn")[0]).toContain("The clock was put back");
  });

  test("a clock put back stops no signing, and a small step is not worth a word", async () => {
    const { file } = await manifestFile({ ttlSeconds: 300 });
    const { publisher, time, logger } = await publishing({ manifestFile: file });
    const first = generatedAt(publisher);
    time.jump(-50_000);
    await time.advance(1_000);
    expect(generatedAt(publisher)).toBe(first + 1);
    await time.advance(150_000);
    expect(generatedAt(publisher)).toBe(time.now());
    expect(logger.messages("warn")).toEqual([]);
  });

  test("the tag is strong and a digest of the body", async () => {
    const { file } = await manifestFile();
    const { publisher } = await publishing({ manifestFile: file });
    expect(publisher.current.etag).toMatch(/^"[0-9a-f]{64}"$/);
  });
});

test("R3b: a time to live that became shorter counts at once", async () => {
  const { file, write } = await manifestFile({ ttlSeconds: 300 });
  const { publisher, time } = await publishing({ manifestFile: file });
  await time.advance(900);
  await write(manifestWith({ ttlSeconds: 1 }));
  await publisher.reload();
  const { etag } = publisher.current;
  await time.advance(499);
  expect(publisher.current.etag).toBe(etag);
  await time.advance(1);
  expect(publisher.current.etag).not.toBe(etag);
});

describe("R3b: changes of the manifest and the key", () => {
  test("a changed manifest is published at the next look, and an unchanged one is not signed anew", async () => {
    const { file, write } = await manifestFile();
    const { publisher, time } = await publishing({ manifestFile: file });
    const first = publisher.current;
    await write(manifestWith());
    await time.advance(1_000);
    await publisher.reload();
    expect(publisher.current).toBe(first);
    await write(manifestWith({ connectors: [connectorNamed("wiki")] }));
    await time.advance(1_000);
    await vi.waitFor(() => expect(publisher.current.payload.connectors).toMatchObject([{ id: "wiki" }]));
    expect(publisher.current.payload.id > first.payload.id).toBe(true);
  });

  test("reload takes what was written before the call, and answers when it is published", async () => {
    const { file, write } = await manifestFile();
    const { publisher, time } = await publishing({ manifestFile: file });
    for (const name of ["a", "b", "c"]) {
      await time.advance(1_000);
      await write(manifestWith({ connectors: [connectorNamed(name)] }));
      await publisher.reload();
      expect(publisher.current.payload.connectors).toMatchObject([{ id: name }]);
    }
  });

  test("a link that is turned to another file counts as a change", async () => {
    const folder = await temporaryFolder();
    const link = path.join(folder, "manifest.json");
    for (const name of ["one", "two"]) {
      await writeFile(path.join(folder, name), JSON.stringify(manifestWith({ brand: name })));
      await symlink(name, `${link}-${name}`);
    }
    await rename(`${link}-one`, link);
    const { publisher } = await publishing({ manifestFile: link });
    await rename(`${link}-two`, link);
    await publisher.reload();
    expect(publisher.current.payload.brand).toBe("two");
  });

  test("a bad manifest leaves the last good one in force, is logged once with its place, and goes on being signed", async () => {
    const { file, write } = await manifestFile();
    const { publisher, time, logger } = await publishing({ manifestFile: file });
    const first = publisher.current;
    await write(manifestWith({ connectors: [connectorNamed("a", { scopes: [] })] }));
    for (let second = 0; second < 5; second++) await time.advance(1_000);
    await expect(publisher.reload()).rejects.toThrow("connectors[0].scopes: must name at least one scope");
    expect(publisher.current).toBe(first);
    expect(logger.lines.filter(({ level }) => level === "error")).toEqual([
      {
        level: "error",
        message: "Publishing the last good service map",
        fields: { manifestFile: file, reason: expect.stringContaining("connectors[0].scopes: must name at least one") },
      },
    ]);
    await time.advance(150_000);
    expect(publisher.current.etag).not.toBe(first.etag);
    expect(publisher.current.payload.connectors).toEqual(first.payload.connectors);
    await write(manifestWith({ brand: "mended" }));
    await publisher.reload();
    expect(publisher.current.payload.brand).toBe("mended");
    expect(logger.messages("info")).toContain("Manifest and key are good again");
  });

  test("a manifest that is gone, or makes too large a map, leaves the last good one in force", async () => {
    const { file, write } = await manifestFile();
    const { publisher } = await publishing({ manifestFile: file });
    const first = publisher.current;
    const huge = Array.from({ length: 4_000 }, (_, at) => connectorNamed(`c${at}`, { description: "x".repeat(200) }));
    await write(manifestWith({ connectors: huge }));
    await expect(publisher.reload()).rejects.toThrow("gateways would refuse this service map (size)");
    await rm(file);
    await expect(publisher.reload()).rejects.toThrow(file);
    expect(publisher.current).toBe(first);
  });

  test("a key rotates without a restart; one that cannot be read leaves the last one in force", async () => {
    const { file } = await manifestFile();
    const sets = ["old", "new"].map((kid) => generateKeySet({ kind: "ed25519", kid }).privateJwks);
    let key: () => SigningKey = () => signingKeyFromJwks(sets[0]);
    const { publisher, time } = await publishing({ manifestFile: file, key: () => key() });
    const first = publisher.current;
    expect(first.payload.kid).toBe("old");
    await publisher.reload();
    expect(publisher.current).toBe(first);
    key = () => signingKeyFromJwks({ keys: [] });
    await expect(publisher.reload()).rejects.toThrow("the key set cannot sign");
    await time.advance(150_000);
    expect(publisher.current.payload.kid).toBe("old");
    key = () => signingKeyFromJwks(sets[1]);
    await publisher.reload();
    const ring = KeyRing.fromJwks({ keys: sets.flatMap(({ keys }) => keys) });
    const reading = readServiceMap(publisher.current.body, { keys: ring, nowMs: time.now() });
    expect(reading).toMatchObject({ ok: true, map: { kid: "new" } });
  });

  test("a key of the same name and another value is another key", async () => {
    const { file } = await manifestFile();
    const sets = [0, 1].map(() => generateKeySet({ kind: "hmac", kid: "k" }).privateJwks);
    let key: SigningKey = signingKeyFromJwks(sets[0]);
    const { publisher, time } = await publishing({ manifestFile: file, key: async () => key });
    for (const next of [signingKeyFromJwks(sets[1]), { key: "text", kid: "k" }, { key: "other", kid: "k" }]) {
      const before = publisher.current;
      key = next;
      await publisher.reload();
      expect(publisher.current).not.toBe(before);
    }
    expect(time.pending).toBe(1);
  });

  test("a good key goes into force beside a bad manifest", async () => {
    const { file, write } = await manifestFile();
    let key: SigningKey = { key: "first" };
    const { publisher } = await publishing({ manifestFile: file, key: () => key });
    await write("{");
    key = { key: "second", kid: "k2" };
    await expect(publisher.reload()).rejects.toThrow("is not JSON");
    expect(publisher.current.payload).toMatchObject({ kid: "k2", brand: "brAInwav" });
  });
});

describe("R3b: beginning and end", () => {
  test("a publisher does not start with a bad manifest or a bad key", async () => {
    const { file, write } = await manifestFile();
    const refuse = () => {
      throw new GatewayError("USER_INPUT", "no key");
    };
    await expect(publishing({ manifestFile: file, key: refuse })).rejects.toThrow("no key");
    await write("{");
    await expect(publishing({ manifestFile: file })).rejects.toThrow("is not JSON");
  });

  test("a closed one reads and signs nothing, not even what it had begun", async () => {
    const { file, write } = await manifestFile();
    let asked = 0;
    const key = () => {
      asked += 1;
      return KEY;
    };
    const { publisher, time } = await publishing({ manifestFile: file, key });
    const first = publisher.current;
    await write(manifestWith({ brand: "late" }));
    const reloading = publisher.reload();
    await publisher.close();
    await reloading;
    await publisher.reload();
    await time.advance(300_000);
    expect(publisher.current).toBe(first);
    expect(asked).toBeLessThanOrEqual(2);
  });

  test("a look that hangs holds up neither signing nor the looks of the clock", async () => {
    const { file } = await manifestFile();
    let release = (): void => {};
    let hang = false;
    let asked = 0;
    const key = (): SigningKey | Promise<SigningKey> => {
      asked += 1;
      return hang ? new Promise((resolve) => (release = () => resolve(KEY))) : KEY;
    };
    const { publisher, time } = await publishing({ manifestFile: file, key });
    const first = publisher.current;
    hang = true;
    await time.advance(1_000);
    await vi.waitFor(() => expect(asked).toBe(2));
    await time.advance(149_000);
    expect(publisher.current.etag).not.toBe(first.etag);
    expect(asked).toBe(2);
    release();
  });

  test("nothing that is logged holds the key", async () => {
    const { file, write } = await manifestFile();
    const { publisher, logger } = await publishing({ manifestFile: file });
    await write("{");
    await publisher.reload().catch(() => {});
    await write(manifestWith({ brand: "again" }));
    await publisher.reload();
    expect(logger.lines.length).toBeGreaterThan(1);
    expect(JSON.stringify(logger.lines)).not.toContain("correct horse");
  });
});
