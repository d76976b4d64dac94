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
    "entriesOf",
    "errnoOf",
    "getRegistryCache",
    "keepCorruptCopy",
    "mcpHome",
    "problemsOf",
    "readAll",
    "readBytes",
    "readRegistry",
    "reasonOfIssues",
    "registryPath",
    "remove",
    "replaceFile",
    "resolveTarget",
    "setAsideOf",
    "upsert",
    "watchFile",
  ]);
});

test("@cortex-os/mcp-registry/testing exports exactly these values", () => {
  expect(Object.keys(testing).toSorted()).toEqual(["ProcessKilled", "SimDisk", "SimMount"]);
});
