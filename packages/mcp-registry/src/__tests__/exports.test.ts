import { expect, test } from "vitest";
import * as registry from "../index.js";
import * as testing from "../testing/index.js";

test("@cortex-os/mcp-registry exports exactly these names", () => {
  expect(Object.keys(registry).toSorted()).toEqual([
    "FsStore",
    "RegistryMemoryCache",
    "acquireLock",
    "adviceOn",
    "closeRegistryCache",
    "cortexHome",
    "ensureFolder",
    "errnoOf",
    "getRegistryCache",
    "keepCorruptCopy",
    "mcpHome",
    "nodeFs",
    "readAll",
    "readBytes",
    "reasonOfIssues",
    "registryPath",
    "remove",
    "replaceFile",
    "resolveTarget",
    "upsert",
    "verifyRegistry",
    "watchFile",
  ]);
});

test("@cortex-os/mcp-registry/testing exports exactly these values", () => {
  expect(Object.keys(testing).toSorted()).toEqual(["ProcessKilled", "SimDisk", "SimMount"]);
});
