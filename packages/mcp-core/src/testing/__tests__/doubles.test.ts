import { expect, test } from "vitest";
import { fixedRandom } from "../fixed-random.js";
import { RecordingLogger } from "../recording-logger.js";

test("fixedRandom gives its values in turn and starts over; without values it gives 0", () => {
  const random = fixedRandom(0.1, 0.9);
  expect([random.next(), random.next(), random.next()]).toEqual([0.1, 0.9, 0.1]);
  expect(fixedRandom().next()).toBe(0);
});

test("RecordingLogger keeps every line in order, also through a method taken off it", () => {
  const logger = new RecordingLogger();
  const { warn } = logger;
  logger.info({ a: 1 }, "one");
  warn({}, "two");
  logger.debug({}, "three");
  logger.error({}, "four");
  logger.info({}, "five");
  expect(logger.lines.map(({ level }) => level)).toEqual(["info", "warn", "debug", "error", "info"]);
  expect(logger.lines[0]).toEqual({ level: "info", fields: { a: 1 }, message: "one" });
  expect(logger.messages("info")).toEqual(["one", "five"]);
  expect(logger.messages("warn")).toEqual(["two"]);
});
