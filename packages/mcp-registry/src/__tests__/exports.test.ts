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
    "entriesOf",
    "errnoOf",
    "getRegistryCache",
    "mcpHome",
    "problemsOf",
    "readAll",
    "readRegistry",
    "reasonOfIssues",
    "registryPath",
    "remove",
    "replaceFile",
    "setAsideOf",
    "upsert",
    "watchRegistry",
  ]);
});
