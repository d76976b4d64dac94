import { expect, test, describe } from "vitest";
import { server, useCacheFixture } from "./cache-fixture.js";
import { namesIn } from "./temp-folder.js";

const registry = useCacheFixture();

describe("RegistryMemoryCache: a close that fails (R11)", () => {
  test("lets go of the files all the same; the journal has the change", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const mend = registry.breakDisk();
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    mend();
    // That no file is open is looked at by the fixture.
    expect(await registry.namesAfterReopening()).toEqual(["a"]);
  });

  test("may be tried again", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const mend = registry.breakDisk();
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    mend();
    await cache.close();
    expect(await namesIn(registry.file)).toEqual(["a"]);
  });

  test("promises nothing: what is to be durable is made so after it, too", async () => {
    const cache = await registry.opened();
    cache.upsert(server("a"));
    const mend = registry.breakDisk();
    const undo = registry.fs.refuse("datasync", /\.log/, "EIO");
    await expect(cache.close()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    await expect(cache.durable()).rejects.toMatchObject({ code: "REGISTRY_IO" });
    mend();
    undo();
    await cache.durable();
    expect(await namesIn(registry.file)).toEqual(["a"]);
    await cache.close();
  });
});
