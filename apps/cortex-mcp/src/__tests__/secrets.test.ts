import { describe, expect, test } from "vitest";
import { maskArguments, maskServer, maskUrl } from "../secrets.js";

describe("masking", () => {
  test("hides every header and environment value and keeps what is no secret", () => {
    const entry = {
      name: "docs",
      endpoint: "https://me:pw@host/mcp?apiKey=s3cret&apiKey=other",
      headers: { Authorization: "Bearer s3cret" },
      env: { TOKEN: "s3cret" },
      args: ["--token", "s3cret"],
      note: "kept",
    };
    const masked = maskServer(entry);
    expect(JSON.stringify(masked)).not.toContain("s3cret");
    expect(masked).toEqual({
      name: "docs",
      endpoint: "https://me:***@host/mcp?apiKey=***",
      headers: { Authorization: "***" },
      env: { TOKEN: "***" },
      args: ["--token", "***"],
      note: "kept",
    });
    expect(maskServer({ name: "bare", command: "x" })).toEqual({ name: "bare", command: "x" });
  });

  test.each([
    ["https://host/mcp", "https://host/mcp"],
    ["https://host/mcp?a=1&b=2", "https://host/mcp?a=***&b=***"],
    ["http://s3cret@host/mcp", "http://***@host/mcp"],
    ["http://:s3cret@host/mcp", "http://:***@host/mcp"],
    ["not a url", "not a url"],
  ])("shows the URL %s as %s", (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  test.each([
    [
      ["--api-key", "k"],
      ["--api-key", "***"],
    ],
    [["--api-key=k"], ["--api-key=***"]],
    [
      ["--AUTH_TOKEN", "-v"],
      ["--AUTH_TOKEN", "-v"],
    ],
    [
      ["-y", "server", "--root", "/data"],
      ["-y", "server", "--root", "/data"],
    ],
  ])("shows the arguments %j as %j", (args, shown) => {
    expect(maskArguments(args)).toEqual(shown);
  });
});
