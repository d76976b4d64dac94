import { GatewayError } from "@cortex-os/mcp-core";
import { fixedRandom } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { readServiceMap } from "../read-service-map.js";
import type { ServiceMapPublisher } from "../service-map-publisher.js";
import type { SigningKey } from "../signing-key.js";
import { KEY, manifestFile, manifestWith, publishing, RING } from "./publisher-fixture.js";

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

  test("what cannot be signed again stays as it was, is logged, and is tried at each look", async () => {
    const { file } = await manifestFile({ ttlSeconds: 300 });
    let broken = false;
    const random = {
      next: () => {
        if (broken) throw new Error("no chance");
        return 0.5;
      },
    };
    const { publisher, time, logger } = await publishing({ manifestFile: file, random });
    const first = publisher.current;
    broken = true;
    await time.advance(152_000);
    expect(publisher.current).toBe(first);
    expect(logger.messages("error")).toEqual(
      Array.from({ length: 3 }, () => "The service map could not be signed again"),
    );
    broken = false;
    await time.advance(1_000);
    expect(publisher.current).not.toBe(first);
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
