import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { isDeeperThan } from "../document/depth.js";
import { parseRegistryFile } from "../document/registry-file.js";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";

const registry = useCacheFixture();

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const withExtra = (levels: number): string =>
  `{"servers":[{"name":"good","command":"run"},{"name":"deep","command":"run","extra":${nested(levels)}}]}`;

describe("isDeeperThan", () => {
  test("counts lists and objects within each other", () => {
    expect(isDeeperThan("text", 0)).toBe(false);
    expect(isDeeperThan([], 0)).toBe(true);
    expect(isDeeperThan([{ a: [1] }], 3)).toBe(false);
    expect(isDeeperThan([{ a: [1] }], 2)).toBe(true);
    expect(isDeeperThan(JSON.parse(nested(100_000)), 5)).toBe(true);
  });
});

describe("what is nested deeply (R13)", () => {
  test("a server of that kind is refused, so that the file never becomes longer than may be read", async () => {
    const cache = await registry.opened();
    for (const levels of [100, 1_000, 3_000]) {
      const deep = { ...server("deep"), extra: JSON.parse(nested(levels)) as unknown };
      expect(() => {
        cache.upsert(deep);
      }).toThrow(expect.objectContaining({ code: "USER_INPUT" }));
    }
    expect(namesOf(cache)).toEqual([]);
    await cache.close();
  });

  test("one in a file is set aside, and the rest is served", async () => {
    await mkdir(path.dirname(registry.file));
    await writeFile(registry.file, withExtra(100));
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["good"]);
    expect(cache.problems).toEqual(['servers[1] ("deep") is not served: it has more than 64 levels']);
    cache.upsert(server("later"));
    await cache.close();
    expect(await readFile(registry.file, "utf8")).toContain(nested(100));
    expect(await registry.namesAfterReopening()).toEqual(["good", "later"]);
  });

  test("a file of more levels than could be written again is kept and told of, at any depth", async () => {
    await mkdir(path.dirname(registry.file));
    for (const levels of [200, 3_000, 100_000]) {
      expect(parseRegistryFile(withExtra(levels))).toEqual({ ok: false, reason: "it has more than 128 levels" });
      await writeFile(registry.file, withExtra(levels));
      const cache = await registry.opened();
      expect(cache.problems[0]).toContain("servers.json is damaged: it has more than 128 levels");
      await cache.close();
    }
  });

  test("indentation makes an entry no more than some times as long", async () => {
    const cache = await registry.opened();
    const wide = {
      ...server("wide"),
      extra: JSON.parse(`${"[".repeat(60)}${Array(20_000).fill("[]").join()}${"]".repeat(60)}`) as unknown,
    };
    cache.upsert(wide);
    cache.upsert(server("usual"));
    await cache.close();
    expect((await stat(registry.file)).size).toBeLessThan(80_000);
    expect(await readFile(registry.file, "utf8")).toContain('{\n      "name": "usual",\n');
    expect(await registry.namesAfterReopening()).toEqual(["wide", "usual"]);
  });
});
