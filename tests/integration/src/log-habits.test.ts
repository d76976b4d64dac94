import { describe, expect, test } from "vitest";
import { logCallsIn, type LogCall } from "./log-calls.js";
import { isTest, readText, sourceFiles, workspacePackages } from "./workspace-files.js";

/** What R16 asks of the lines that are logged, as far as it shows in the source. docs/logs.md is for those who read them. */

const product = workspacePackages()
  .flatMap(({ folder }) => sourceFiles(folder))
  .filter((file) => /^(?:packages|apps)\//.test(file) && !isTest(file) && !file.includes("/testing/"));
const calls = product.flatMap((file) => logCallsIn(file));

const broken = (isBroken: (call: LogCall) => boolean): readonly string[] =>
  calls.filter(isBroken).map(({ where }) => where);

/** People grep for these: the level, and whether a connector is concerned. */
const FIXED = [
  { message: "Refresh completed", level: "info", ofConnector: false },
  { message: "Refresh failed", level: "warn", ofConnector: false },
  { message: "Using cached manifest", level: "debug", ofConnector: false },
  { message: "Connector sync failed", level: "warn", ofConnector: true },
  { message: "Forwarded remote MCP request", level: "debug", ofConnector: true },
  { message: "Flushed registry to disk", level: "info", ofConnector: false },
  { message: "Failed to load registry", level: "error", ofConnector: false },
] as const;

describe("what is logged (R16)", () => {
  test("the calls are found: a rule about none holds always", () => {
    expect(calls.length).toBeGreaterThan(80);
    expect(broken(({ message }) => message === "")).toEqual([]);
  });

  test.each(FIXED)(
    "$message is said under its name and at its level, with the connector where one is concerned",
    (fixed) => {
      const saying = calls.filter(({ message }) => message === `"${fixed.message}"`);
      expect(saying.length).toBeGreaterThan(0);
      expect(saying.filter(({ level }) => level !== fixed.level)).toEqual([]);
      expect(saying.filter(({ fields }) => fixed.ofConnector && !fields.includes("connectorId"))).toEqual([]);
    },
  );

  test("an error is under `err`, with message and stack; under `error` stands nothing but a text", () => {
    const asItself = /\berror\s*[,}]|\berror:\s*(?!messageOf\(|error\.reason\b|lastError\.message\b)\w/;
    expect(broken(({ fields }) => asItself.test(fields.replaceAll(/\berr: error\b/g, "err")))).toEqual([]);
    expect(broken(({ fields }) => /\b(?:cause|reason): (?:error|thrown)\b(?!\.)/.test(fields))).toEqual([]);
  });

  test("every line of the package that talks to upstreams names the connector", () => {
    expect(
      broken(({ where, fields }) => where.startsWith("packages/mcp-bridge/") && !fields.includes("connectorId")),
    ).toEqual([]);
  });

  test("what a tool was called with, and what it answered, is in no line", () => {
    const contents = /\b(?:arguments|args|params|body|result|content|structuredContent)\b(?!\.reason)/;
    expect(broken(({ fields }) => contents.test(fields))).toEqual([]);
  });

  test("headers, environments and keys are in no line, other than by name", () => {
    const secrets = /(?<![\w.])(?:env|authorization|token|apiKey|password|secret|cookie)\b(?!\s*!==)/i;
    expect(broken(({ fields }) => secrets.test(fields))).toEqual([]);
  });

  test("docs/logs.md explains messages that there are, and all that people grep for (R21)", () => {
    const explained = [...readText("docs/logs.md").matchAll(/^\| `([^`]+)` \| (?:debug|info|warn|error) \|/gm)].map(
      ([, message = ""]) => message.replaceAll("…", ""),
    );
    const sources = product.map((file) => readText(file)).join("\n");
    expect(explained.filter((message) => !sources.includes(message))).toEqual([]);
    expect(FIXED.map(({ message }) => message).filter((message) => !explained.includes(message))).toEqual([]);
  });
});
