import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as core from "../index.js";
import * as testing from "../testing/index.js";
import * as wire from "../wire/index.js";

// A red pin means: intended? Then change the pin and add a changeset; never loosen it (style 19).

test("@cortex-os/mcp-core exports exactly these values", () => {
  expect(Object.keys(core).toSorted()).toEqual([
    "BRAND",
    "DEFAULT_NAME_POLICY",
    "DEFAULT_TIMEOUTS",
    "GATEWAY_ERROR_CODES",
    "GatewayError",
    "LONGEST_DELAY_MS",
    "Roster",
    "ServerInfoSchema",
    "WIRE_CODE",
    "backoffDelayMs",
    "branded",
    "connectorSpecOf",
    "distinctToolName",
    "isConnectorKey",
    "messageOf",
    "modernHttpStatus",
    "publicToolName",
    "silentLogger",
    "specFingerprint",
    "systemClock",
    "systemHoldingTimers",
    "systemMonotonic",
    "systemPause",
    "systemRandom",
    "systemTimers",
    "toJsonRpcError",
    "transportOf",
  ]);
});

test("@cortex-os/mcp-core/wire exports exactly these values", () => {
  expect(Object.keys(wire).toSorted()).toEqual([
    "ANONYMOUS",
    "HEADER",
    "LATEST_LEGACY",
    "LATEST_MODERN",
    "LEGACY_REVISIONS",
    "LISTS",
    "LIST_CHANGES",
    "LIST_KINDS",
    "LOG_LEVELS",
    "MAX_JSON_DEPTH",
    "META",
    "MODERN_REVISIONS",
    "NAME_SOURCE",
    "NOT_TO_KEEP",
    "SERVER_FEATURES",
    "SSE_KEEP_ALIVE",
    "SUPPORTED_REVISIONS",
    "SseParser",
    "changedFeature",
    "classifyMessage",
    "decodeHeaderValue",
    "encodeHeaderValue",
    "encodeSseMessage",
    "eraOfRevision",
    "errorForClient",
    "findCaseVariant",
    "isDeeperThan",
    "isJsonObject",
    "isLegacyRevision",
    "isLogLevel",
    "isLogWanted",
    "isModernRevision",
    "isTextDeeperThan",
    "isTtl",
    "metaOf",
    "mirroredHeaders",
    "mirroredMismatch",
    "mirroredParams",
    "moreVerbose",
    "paramsForUpstream",
    "progressTokenOf",
    "resultForClient",
    "withMeta",
    "withoutMirrored",
    "withoutModernMeta",
  ]);
});

test("@cortex-os/mcp-core/testing exports exactly these values", () => {
  expect(Object.keys(testing).toSorted()).toEqual(["ManualTime", "RecordingLogger", "fixedRandom"]);
});

test("the package has exactly these three doors", () => {
  const { exports }: { exports: object } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(exports).toEqual({
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./testing": { types: "./dist/testing/index.d.ts", default: "./dist/testing/index.js" },
    "./wire": { types: "./dist/wire/index.d.ts", default: "./dist/wire/index.js" },
  });
});

test("everybody is one principal as long as nobody is authenticated", () => {
  expect(wire.ANONYMOUS).toEqual({ id: "anonymous" });
});
