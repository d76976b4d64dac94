import { rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { generateKeySet } from "../generate-key.js";
import { KeyRing } from "../key-ring.js";
import { readServiceMap } from "../read-service-map.js";
import { signingKeyFromJwks, type SigningKey } from "../signing-key.js";
import { connectorNamed, manifestFile, manifestWith, publishing, temporaryFolder } from "./publisher-fixture.js";

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
        fields: {
          manifestFile: file,
          reason: "the manifest cannot be published: connectors[0].scopes: must name at least one scope",
        },
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
