import { DEFAULT_NAME_POLICY, isConnectorKey, publicToolName, ServerInfoSchema } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { publicName } from "../check-client.js";
import { PUBLISHED_SERVERS } from "../published-servers.js";
import { registryEntry } from "../write-registry.js";

describe("the table of published servers", () => {
  test("has at least the 24 that were asked for, each package and name once", () => {
    expect(PUBLISHED_SERVERS.length).toBeGreaterThanOrEqual(24);
    expect(new Set(PUBLISHED_SERVERS.map(({ name }) => name)).size).toBe(PUBLISHED_SERVERS.length);
    expect(new Set(PUBLISHED_SERVERS.map((server) => server.package)).size).toBe(PUBLISHED_SERVERS.length);
  });

  test.each(PUBLISHED_SERVERS)("$name is pinned, stays in its package, and expects something", (server) => {
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(server.entry).toMatch(/^[\w-][\w./-]*\.[cm]?js$/);
    expect(server.entry).not.toContain("..");
    const { text, includes = [], structured } = server.call.expected;
    expect([text, ...includes, structured].filter((part) => part !== undefined && part !== "")).not.toEqual([]);
  });

  test.each(PUBLISHED_SERVERS)(
    "$name shows its tool under a name that the gateway does not have to change",
    (server) => {
      expect(isConnectorKey(server.name)).toBe(true);
      const { tool } = server.call;
      expect(publicToolName(server.name, tool, DEFAULT_NAME_POLICY, true)).toBe(publicName(server, tool));
    },
  );

  test.each(PUBLISHED_SERVERS)("$name makes an entry that a registry takes", (server) => {
    const entry = registryEntry(server, "/cache/x", "/home/someone/x", { MARK: "1" });
    expect(ServerInfoSchema.safeParse(entry).error).toBeUndefined();
  });
});
