import { describe, expect, test } from "vitest";
import { connectorOfPath } from "../mcp-path.js";

describe("/mcp/-/<key>", () => {
  test.each([
    ["/mcp/-/docs", "docs"],
    ["/mcp/-/Docs_2-x", "Docs_2-x"],
    ["/mcp/-/do%63s", "docs"],
    ["/mcp/-/-", "-"],
  ])("%s is the address of %s", (path, key) => {
    expect(connectorOfPath(path)).toBe(key);
  });

  test.each([
    "/mcp",
    "/mcp/",
    "/mcp/-",
    "/mcp/-/",
    "/mcp/docs",
    "/mcp/-/docs/",
    "/mcp/-/docs/x",
    "/mcp/-/docs%2Fx",
    "/mcp/-/do%2563s",
    "/mcp/-/..",
    "/mcp/-/../-/docs",
    "/mcp/%2D/docs",
    "//mcp/-/docs",
    "/MCP/-/docs",
    "/mcp/-/docs%",
    "/mcp/-/docs%00",
    "/mcp/-/docs.x",
    "/mcp/-/d%C3%B6cs",
    `/mcp/-/${"k".repeat(33)}`,
    "/x/mcp/-/docs",
  ])("%s is no connector's address", (path) => {
    expect(connectorOfPath(path)).toBeUndefined();
  });
});
