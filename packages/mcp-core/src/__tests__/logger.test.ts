import { expect, test } from "vitest";
import { silentLogger } from "../logger.js";

test("silentLogger takes every level and says nothing", () => {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    expect(silentLogger[level]({ connectorId: "a" }, "message")).toBeUndefined();
  }
});
