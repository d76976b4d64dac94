import { describe, expect, test } from "vitest";
import { resultText } from "../commands/result-text.js";
import { counted, shortened } from "../output.js";
import { createLogger } from "../serve/create-logger.js";
import { prettyLine } from "../serve/pretty-line.js";
import { targetText, transportText } from "../server-text.js";
import { reasonOf } from "../user-error.js";

describe("what people read", () => {
  test.each([
    [
      {
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      "a\nb",
    ],
    [
      { content: [{ type: "image", mimeType: "image/png", data: "AAAA" }] },
      "[image, image/png, 4 characters of base64]",
    ],
    [{ content: [{ type: "audio" }] }, "[audio, unknown, 0 characters of base64]"],
    [{ content: [{ type: "resource_link", uri: "file:///a" }] }, "[link to file:///a]"],
    [{ content: [{ type: "x-vendor" }] }, '{\n  "type": "x-vendor"\n}'],
    [{ content: [{ type: "text" }] }, '{\n  "type": "text"\n}'],
    [{ content: ["odd"] }, '"odd"'],
    [{ content: [], structuredContent: { sum: 3 } }, '{\n  "sum": 3\n}'],
    [{}, "(the tool answered with no content)"],
  ])("the result %j reads %j", (result, text) => {
    expect(resultText(result)).toBe(text);
  });

  test.each([
    ["short", 10, "short"],
    ["exactly 10", 10, "exactly 10"],
    ["more than ten", 10, "more than…"],
    ["  two\nlines ", 10, "two…"],
    ["", 10, ""],
  ])("%j in %i columns is %j", (text, width, shown) => {
    expect(shortened(text, width)).toBe(shown);
  });

  test("counts, targets and transports", () => {
    expect([counted(0, "tool"), counted(1, "tool"), counted(2, "tool")]).toEqual(["0 tools", "1 tool", "2 tools"]);
    expect(targetText({ name: "a", command: "my cmd", args: ["it's", "--token=x"] })).toBe(
      '"my cmd" "it\'s" --token=***',
    );
    expect(targetText({ name: "a", transport: "ws" })).toBe("-");
    expect(transportText({ name: "a", transport: "streamableHttp", endpoint: "http://h" })).toBe("http");
  });

  test("reasons are one line, whatever was thrown", () => {
    expect(reasonOf(new Error("a\n  b"))).toBe("a b");
    expect(reasonOf("c")).toBe("c");
  });
});

describe("R16: logs", () => {
  function logged(level: "debug" | "info" | "warn" | "error", pretty = false) {
    const lines: string[] = [];
    return { lines, logger: createLogger({ level, pretty, write: (line) => lines.push(line) }) };
  }

  test("hold the brand, a level by name, an RFC 3339 time, and errors with message and stack", () => {
    const { lines, logger } = logged("info");
    logger.debug({}, "not shown");
    logger.warn({ connectorId: "docs", err: new Error("boom") }, "Connector sync failed");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      brand: "brAInwav",
      pid: process.pid,
      connectorId: "docs",
      err: { type: "Error", message: "boom", stack: expect.stringContaining("Error: boom\n") },
      msg: "Connector sync failed",
    });
  });

  test("hold the brand once, also where a library brands its own", () => {
    const { lines, logger } = logged("info");
    logger.info({ brand: "brAInwav", startedAt: 1, token: "s3cret" }, "Refresh completed");
    expect(lines[0]?.match(/"brand":/g)).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ brand: "brAInwav", startedAt: 1, token: "***" });
  });

  test("black out what is named like a secret, should anybody log it", () => {
    const { lines, logger } = logged("info");
    const secrets = { headers: { authorization: "s3cret" }, env: { A: "s3cret" }, token: "s3cret", apiKey: "s3cret" };
    logger.info({ ...secrets, spec: secrets, deep: { spec: secrets } }, "x");
    expect(lines.join("")).not.toContain("s3cret");
  });

  test("are text at a terminal", () => {
    const { lines, logger } = logged("debug", true);
    logger.debug({ n: 1, o: { a: [1] } }, "Hello");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} DEBUG Hello brand=brAInwav n=1 o=\{"a":\[1\]\}$/);
    expect(prettyLine('{"level":"info","time":"2026-01-01T01:02:03.456Z"}')).toBe("01:02:03.456 INFO  ");
  });
});
