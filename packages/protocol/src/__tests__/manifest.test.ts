import { rm, truncate } from "node:fs/promises";
import path from "node:path";
import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { ManifestFile, parseManifest } from "../manifest.js";
import { connectorNamed, manifestFile, manifestWith, temporaryFolder } from "./publisher-fixture.js";

const parsed = (value: unknown) => parseManifest(JSON.stringify(value), "m.json");

describe("R3b: the manifest that a publisher signs", () => {
  test("keeps every member as it is, in either spelling, and knows a usual time to live", () => {
    const legacy = connectorNamed("legacy", {
      name: undefined,
      displayName: "Legacy",
      status: "online",
      enabled: true,
    });
    const manifest = {
      brand: "b",
      connectors: [legacy, connectorNamed("docs", { owner: "x" })],
      team: { on: ["call"] },
    };
    expect(parsed(manifest)).toEqual({ ...JSON.parse(JSON.stringify(manifest)), ttlSeconds: 900 });
  });

  test("may have no connectors at all", () => {
    expect(parsed({ brand: "b", connectors: [] }).connectors).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ["no brand", manifestWith({ brand: "" }), "brand: must not be empty"],
    ["no connectors", { brand: "b" }, "connectors: "],
    [
      "a bad endpoint",
      manifestWith({ connectors: [connectorNamed("a", { endpoint: "ftp://h" })] }),
      "connectors[0].endpoint: must be an http or https URL",
    ],
    ["one id twice", manifestWith({ connectors: [connectorNamed("a"), connectorNamed("a")] }), "connectors[1].id: "],
    ["a time to live of none", manifestWith({ ttlSeconds: 0 }), "ttlSeconds: must be positive"],
    ["one of more than a day", manifestWith({ ttlSeconds: 86_401 }), "ttlSeconds: must be at most 86400 (a day)"],
    ["a part of a second", manifestWith({ ttlSeconds: 1.5 }), "ttlSeconds: must be a whole number"],
    ["an id", manifestWith({ id: "01" }), "id: is made by signing: leave it out"],
    ["a time", manifestWith({ generatedAt: "now" }), "generatedAt: is made by signing"],
    ["a kid", manifestWith({ kid: "k" }), "kid: is made by signing"],
    ["a signature", manifestWith({ signature: "s" }), "signature: is made by signing"],
    ["no object", [], "the document: "],
  ])("with %s is refused with the place", (_name, value, message) => {
    expect(() => parsed(value)).toThrow(`the manifest m.json cannot be published: ${message}`);
  });

  test.each([
    ["broken JSON", '{"brand": "sesame",}', "is not JSON"],
    [
      "one member twice",
      '{"brand": "a", "brand": "b", "connectors": []}',
      'one name twice (byte 15): "brand" in the document',
    ],
    ["nothing", "", "it is empty"],
  ])("with %s is refused without being quoted", (_name, text, message) => {
    expect(() => parseManifest(text, "m.json")).toThrow(message);
    expect(() => parseManifest(text, "m.json")).not.toThrow("sesame");
  });
});

describe("R3b: a manifest on disk", () => {
  test("is the same object until its text changes", async () => {
    const { file, write } = await manifestFile();
    const manifest = new ManifestFile(file);
    const first = await manifest.read();
    expect(await manifest.read()).toBe(first);
    await write(manifestWith());
    expect(await manifest.read()).toBe(first);
    await write(manifestWith({ brand: "other" }));
    expect(await manifest.read()).toMatchObject({ brand: "other" });
  });

  test("that is bad is refused each time, and taken when it is mended", async () => {
    const { file, write } = await manifestFile();
    const manifest = new ManifestFile(file);
    await write("{");
    await expect(manifest.read()).rejects.toThrow("is not JSON");
    await expect(manifest.read()).rejects.toThrow("is not JSON");
    await write(manifestWith());
    expect(await manifest.read()).toMatchObject({ brand: "brAInwav" });
  });

  test("that is not there, or far too large, is told by its name", async () => {
    const missing = path.join(await temporaryFolder(), "none.json");
    const error: unknown = await new ManifestFile(missing).read().catch((thrown: unknown) => thrown);
    expect(GatewayError.is(error) && error.code).toBe("USER_INPUT");
    expect(String(error)).toContain(`the manifest ${missing} cannot be published: there is no such file`);
    const folder = path.dirname(missing);
    await expect(new ManifestFile(folder).read()).rejects.toThrow(
      `the manifest ${folder} cannot be published: it is a folder`,
    );
    const unreadable = path.join(folder, "x".repeat(300));
    const why = String(await new ManifestFile(unreadable).read().catch((thrown: unknown) => thrown));
    expect(why).toMatch(/: it cannot be read \(ENAMETOOLONG\)$/);
    expect(why.split(unreadable)).toHaveLength(2);
    const { file } = await manifestFile();
    await truncate(file, 8 * 1_048_576 + 1);
    await expect(new ManifestFile(file).read()).rejects.toThrow("is larger than 8388608 bytes");
    await rm(file);
    await expect(new ManifestFile(file).read()).rejects.toThrow("there is no such file");
  });
});
