import type { JsonObject, JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { verdictOf } from "../probe-verdict.js";

const ASKED = "2026-07-28";
const result = (value: JsonObject): JsonRpcResponse => ({ jsonrpc: "2.0", id: 1, result: value });
const error = (code: number, data?: unknown): JsonRpcResponse => ({
  jsonrpc: "2.0",
  id: 1,
  error: { code, message: "m", data },
});

describe("what an answer to server/discover means (2026-07-28, stdio, Backward Compatibility)", () => {
  test("a DiscoverResult is modern, with all it says", () => {
    const serverInfo = { name: "x", version: "1" };
    const said = { supportedVersions: ["2099-01-01", ASKED], capabilities: { tools: {} }, instructions: "i" };
    expect(verdictOf(result({ ...said, _meta: { "io.modelcontextprotocol/serverInfo": serverInfo } }), ASKED)).toEqual({
      kind: "modern",
      facts: { era: "modern", revision: ASKED, capabilities: { tools: {} }, instructions: "i", serverInfo },
    });
  });

  test("a bare DiscoverResult is modern without capabilities", () => {
    expect(verdictOf(result({ supportedVersions: [ASKED] }), ASKED)).toEqual({
      kind: "modern",
      facts: { era: "modern", revision: ASKED, capabilities: {} },
    });
  });

  test.each<[string, JsonRpcResponse]>([
    ["method not found", error(-32_601)],
    ["invalid params", error(-32_602)],
    ["a code of its own", error(-32_000)],
    ["a version error without a list", error(-32_022)],
    ["a version error whose list is none", error(-32_022, { supported: "2026-07-28" })],
    ["a capability error that names none", error(-32_021, {})],
    ["a header error, which stdio has not", error(-32_020)],
    ["a result that discovers nothing", result({})],
    ["a list that is none", result({ supportedVersions: "2026-07-28" })],
  ])("anything else is legacy: %s", (_, answer) => {
    expect(verdictOf(answer, ASKED)).toEqual({ kind: "legacy" });
  });

  test.each<[string, JsonRpcResponse]>([
    ["in a result", result({ supportedVersions: ["2025-06-18", "2025-11-25"] })],
    ["in an error", error(-32_022, { supported: ["2025-06-18", "2025-11-25"] })],
  ])("a server with legacy revisions in common only gets initialize with the newest of them: %s", (_, answer) => {
    expect(verdictOf(answer, ASKED)).toEqual({ kind: "legacy", revision: "2025-11-25" });
  });

  test("a version error that lists a modern revision of ours means: ask again in it", () => {
    expect(verdictOf(error(-32_022, { supported: [ASKED] }), "2099-01-01")).toEqual({
      kind: "ask-again",
      revision: ASKED,
    });
  });

  test.each<[string, JsonRpcResponse, RegExp]>([
    [
      "no revision in common",
      result({ supportedVersions: ["2099-01-01", 7] }),
      /none of our revisions, only \["2099-01-01"\]/,
    ],
    ["a capability that we do not offer", error(-32_021, { requiredCapabilities: { sampling: {} } }), /sampling/],
    ["the very revision it lists", error(-32_022, { supported: [ASKED] }), /refuses revision 2026-07-28/],
  ])("a modern server that cannot be talked to is refused with a reason: %s", (_, answer, reason) => {
    expect(verdictOf(answer, ASKED)).toEqual({ kind: "refused", reason: expect.stringMatching(reason) });
  });
});
