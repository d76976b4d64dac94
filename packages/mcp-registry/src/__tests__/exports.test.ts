import { expect, test } from "vitest";
import * as registry from "../index.js";

test("@cortex-os/mcp-registry exports exactly these names", () => {
  expect(Object.keys(registry).toSorted()).toEqual([
    "FsStore",
    "RegistryMemoryCache",
    "acquireLock",
    "closeRegistryCache",
    "cortexHome",
    "entriesOf",
    "getRegistryCache",
    "livenessOf",
    "mcpHome",
    "ownIdentity",
    "parseRegistryFile",
    "readAll",
    "readRegistry",
    "registryPath",
    "remove",
    "serialiseRegistryFile",
    "setAsideOf",
    "upsert",
    "watchRegistry",
  ]);
});
