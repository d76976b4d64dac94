import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { featureFlagProblem, parseConnectorFeatureFlags, type ConnectorFeatureFlags } from "../feature-flags.js";

const SYNC = "MCP_CONNECTOR_REFRESH_SYNC";
const INTERVAL = "MCP_CONNECTOR_REFRESH_INTERVAL_MS";
const DEFAULTS: ConnectorFeatureFlags = { asyncRefresh: true, refreshIntervalMs: 300_000 };

describe("R7: the flags", () => {
  test.each([[{}], [{ [SYNC]: "", [INTERVAL]: "" }], [{ [SYNC]: " ", [INTERVAL]: "\t" }]])(
    "R7: by default refreshes in the background every 300,000 ms: %j",
    (env) => {
      const logger = new RecordingLogger();
      expect(parseConnectorFeatureFlags(env, logger)).toEqual(DEFAULTS);
      expect([logger.lines, featureFlagProblem(env)]).toEqual([[], undefined]);
    },
  );

  test.each([
    ["true", false],
    ["TRUE", false],
    [" 1 ", false],
    ["false", true],
    ["False", true],
    ["0", true],
  ])("R7: MCP_CONNECTOR_REFRESH_SYNC=%s: background refresh is %s", (text, asyncRefresh) => {
    const env = { [SYNC]: text };
    expect(parseConnectorFeatureFlags(env, new RecordingLogger())).toEqual({ ...DEFAULTS, asyncRefresh });
    expect(featureFlagProblem(env)).toBeUndefined();
  });

  test.each([
    ["1", 1],
    ["60000", 60_000],
    [" 100 ", 100],
    ["2147483647", 2_147_483_647],
  ])("R7: MCP_CONNECTOR_REFRESH_INTERVAL_MS=%s is %d", (text, refreshIntervalMs) => {
    const env = { [INTERVAL]: text };
    expect(parseConnectorFeatureFlags(env, new RecordingLogger())).toEqual({ ...DEFAULTS, refreshIntervalMs });
    expect(featureFlagProblem(env)).toBeUndefined();
  });

  test.each(["yes", "on", "truefalse", "2", "nein"])(
    "R7: MCP_CONNECTOR_REFRESH_SYNC=%s is the default with a warning that names the variable, not its value",
    (text) => {
      const logger = new RecordingLogger();
      expect(parseConnectorFeatureFlags({ [SYNC]: text }, logger)).toEqual(DEFAULTS);
      expect(logger.lines).toEqual([
        {
          level: "warn",
          fields: { brand: "brAInwav", variable: SYNC },
          message: "MCP_CONNECTOR_REFRESH_SYNC must be true or false; going on with false",
        },
      ]);
      expect(featureFlagProblem({ [SYNC]: text })).toBe("MCP_CONNECTOR_REFRESH_SYNC must be true or false");
    },
  );

  test.each(["0", "-1", "1.5", "1e3", "0x10", "5m", "NaN", "Infinity", "2147483648", "99999999999999999999"])(
    "R7: MCP_CONNECTOR_REFRESH_INTERVAL_MS=%s is the default with a warning that names the variable",
    (text) => {
      const logger = new RecordingLogger();
      expect(parseConnectorFeatureFlags({ [INTERVAL]: text }, logger)).toEqual(DEFAULTS);
      expect(logger.lines).toMatchObject([{ level: "warn", fields: { brand: "brAInwav", variable: INTERVAL } }]);
      expect(logger.messages("warn")).toEqual([
        "MCP_CONNECTOR_REFRESH_INTERVAL_MS must be a whole number of milliseconds from 1 to 2147483647, digits only; going on with 300000",
      ]);
      expect(featureFlagProblem({ [INTERVAL]: text })).toMatch(/^MCP_CONNECTOR_REFRESH_INTERVAL_MS must be /);
    },
  );

  test("R7: both wrong: both are named, and each falls back by itself", () => {
    const env = { [SYNC]: "maybe", [INTERVAL]: "soon" };
    const logger = new RecordingLogger();
    expect(parseConnectorFeatureFlags(env, logger)).toEqual(DEFAULTS);
    expect(logger.lines.map(({ fields }) => fields["variable"])).toEqual([SYNC, INTERVAL]);
    expect(featureFlagProblem(env)).toMatch(/^MCP_CONNECTOR_REFRESH_SYNC .*; MCP_CONNECTOR_REFRESH_INTERVAL_MS /);
  });

  test("R7: reads the environment of the process at the time of the call, and warns on the process without a logger", () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    vi.stubEnv(SYNC, "true");
    vi.stubEnv(INTERVAL, "never");
    expect(parseConnectorFeatureFlags()).toEqual({ asyncRefresh: false, refreshIntervalMs: 300_000 });
    expect(emitWarning.mock.calls).toEqual([[expect.stringContaining(INTERVAL)]]);
  });
});
