import { expect, test } from "vitest";
import * as registry from "../index.js";

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
