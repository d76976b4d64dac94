import { describe, expect, test, vi } from "vitest";
import { brandedLogger } from "../callers-logger.js";

describe("a caller's logger (R16)", () => {
  test("gets the brand in every line, and its own fields and message", () => {
    const warn = vi.fn<() => void>();
    brandedLogger({ warn }).warn({ connectorId: "a" }, "Refresh failed");
    expect(warn.mock.calls).toEqual([[{ brand: "brAInwav", connectorId: "a" }, "Refresh failed"]]);
  });

  test("gets an error's message beside the error, unless the line says its own", () => {
    const warn = vi.fn<() => void>();
    const err = new Error("boom");
    const logger = brandedLogger({ warn });
    logger.warn({ err }, "one");
    logger.warn({ err, error: "mine" }, "other");
    expect(warn.mock.calls).toEqual([
      [{ brand: "brAInwav", err, error: "boom" }, "one"],
      [{ brand: "brAInwav", err, error: "mine" }, "other"],
    ]);
  });

  test("is called as a method of itself: loggers that need their `this` work", () => {
    class OwnLogger {
      readonly lines: string[] = [];
      info(_fields: unknown, message: string): void {
        this.lines.push(message);
      }
    }
    const own = new OwnLogger();
    brandedLogger(own).info({}, "here");
    expect(own.lines).toEqual(["here"]);
  });

  test("may lack methods, and may throw", () => {
    const logger = brandedLogger({
      error: () => {
        throw new Error("disk full");
      },
    });
    for (const level of ["debug", "info", "warn", "error"] as const) logger[level]({}, "nobody hears it");
    expect(logger).toHaveProperty("debug");
  });
});
