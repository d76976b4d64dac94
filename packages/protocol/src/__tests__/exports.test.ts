import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as protocol from "../index.js";

// A red pin means: intended? Then change the pin and add a changeset; never loosen it (style 19).

test("@cortex-os/protocol exports exactly these values", () => {
  expect(Object.keys(protocol).toSorted()).toEqual([
    "KeyRing",
    "MAX_CLOCK_SKEW_MS",
    "MAX_JSON_NODES",
    "MAX_SERVICE_MAP_BYTES",
    "MAX_TTL_SECONDS",
    "SERVICE_MAP_PATH",
    "ServiceMapPublisher",
    "againstFloor",
    "canonicalJson",
    "connectorsOf",
    "createServiceMapSignature",
    "floorOf",
    "generateKeySet",
    "isPublicJwks",
    "jwkSetOf",
    "keyRingSource",
    "parseManifest",
    "publicJwksOf",
    "publishedConnectorSchema",
    "publishedConnectorsSchema",
    "publisherManifestSchema",
    "readServiceMap",
    "serveServiceMap",
    "serviceMapJsonSchema",
    "serviceMapResponseSchema",
    "signServiceMap",
    "signingKeyFromJwks",
    "signingKeyFromSecret",
    "verifyServiceMapSignature",
    "weakKeys",
  ]);
});

test("the limits are those of reliability.md, 5.2", () => {
  expect(protocol.MAX_SERVICE_MAP_BYTES).toBe(1_048_576);
  expect(protocol.MAX_TTL_SECONDS).toBe(86_400);
  expect(protocol.MAX_CLOCK_SKEW_MS).toBe(60_000);
});

test("the package has exactly these three doors, and what is behind them is published", () => {
  const { exports, files }: { exports: object; files: readonly string[] } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(exports).toEqual({
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./service-map.schema.json": "./service-map.schema.json",
    "./vectors/*": "./vectors/*",
  });
  for (const path of ["service-map.schema.json", "vectors"]) {
    expect(files).toContain(path);
    expect(existsSync(new URL(`../../${path}`, import.meta.url))).toBe(true);
  }
});
