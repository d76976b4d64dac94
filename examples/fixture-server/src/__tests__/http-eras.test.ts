import { describe, expect, test } from "vitest";
import {
  errorOf,
  initializeMessage,
  legacy,
  modern,
  modernMessage,
  openSession,
  raw,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();

describe("which era a message belongs to", () => {
  test("both are served on one endpoint at once", async () => {
    const { url } = await start();
    const session = await openSession(url);
    const params = { name: "whoami", arguments: {} };
    const old = resultOf(await legacy(url, { id: 1, method: "tools/call", params }, session));
    const now = resultOf(await modern(url, "tools/call", params, { "mcp-session-id": session["mcp-session-id"] }));
    expect(old["structuredContent"]).toMatchObject({ era: "legacy" });
    expect(now["structuredContent"]).toMatchObject({ era: "modern", protocolVersion: "2026-07-28", session: false });
  });

  test("modern metadata or a modern header makes a message modern, whatever else it lacks", async () => {
    const { url } = await start();
    const lacking = async (drop: string[]): Promise<unknown> => {
      const headers = Object.fromEntries(drop.map((name) => [name, undefined]));
      return errorOf(await modern(url, "tools/list", {}, headers))["code"];
    };
    expect(await lacking(["mcp-protocol-version"])).toBe(-32_020);
    expect(await lacking(["mcp-method"])).toBe(-32_020);
    const bare = { id: 1, method: "tools/list" };
    expect(errorOf(await legacy(url, bare, { "mcp-protocol-version": "2026-07-28" }))["code"]).toBe(-32_602);
    expect(errorOf(await legacy(url, bare, { "mcp-method": "tools/list" }))["code"]).toBe(-32_020);
    expect(errorOf(await legacy(url, bare))["code"]).toBe(-32_600);
    expect((await raw(url, "GET", { "mcp-protocol-version": "2026-07-28" })).status).toBe(405);
  });

  test("a modern-only server tells a legacy client what it speaks, and has no GET or DELETE", async () => {
    const { url } = await start({ era: "modern" });
    const answer = await legacy(url, initializeMessage("2025-11-25"));
    expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_022]);
    expect(errorOf(answer)["message"]).toContain("2026-07-28");
    expect(errorOf(answer)["data"]).toEqual({ supported: ["2026-07-28"], requested: "2025-11-25" });
    expect(errorOf(await legacy(url, { id: 1, method: "initialize" }))["data"]).toMatchObject({ requested: "" });
    for (const method of ["GET", "DELETE", "PUT"]) {
      const refused = await raw(url, method, {});
      expect([refused.status, refused.headers.allow]).toEqual([405, "POST"]);
    }
    const ignored = await modern(url, "tools/list", {}, { "mcp-session-id": "x", "last-event-id": "1" });
    expect(ignored.status).toBe(200);
    expect(ignored.headers["mcp-session-id"]).toBeUndefined();
  });

  test("a legacy-only server refuses a modern probe with nothing a client could take for modern", async () => {
    const { url } = await start({ era: "legacy" });
    const { headers, body } = modernMessage("server/discover", {});
    const answer = await raw(url, "POST", headers, body);
    expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_600]);
  });
});
