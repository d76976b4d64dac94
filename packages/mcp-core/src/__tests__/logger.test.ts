import { expect, test } from "vitest";
import { branded, silentLogger } from "../logger.js";
import { RecordingLogger } from "../testing/recording-logger.js";

test("silentLogger takes every level and says nothing", () => {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    expect(silentLogger[level]({ connectorId: "a" }, "message")).toBeUndefined();
  }
});

test("R16: a branded logger has the brand on every line, and says the rest as it was", () => {
  const logger = new RecordingLogger();
  const own = branded(logger);
  for (const level of ["debug", "info", "warn", "error"] as const) own[level]({ connectorId: "a" }, level);
  expect(logger.lines).toEqual(
    ["debug", "info", "warn", "error"].map((level) => ({
      level,
      fields: { brand: "brAInwav", connectorId: "a" },
      message: level,
    })),
  );
});
