import { expect, test } from "vitest";
import { prefersEventStream } from "../prefers-event-stream.js";

test.each([
  ["text/event-stream, application/json", true],
  ["text/event-stream", true],
  ["Text/Event-Stream;q=0.9, application/json;q=0.5", true],
  ["text/html;q=0.2, text/event-stream", true],
  ["application/json, text/event-stream", false],
  ["application/json;q=0.1, text/event-stream", true],
  [" application/json, text/event-stream", false],
  ["text/event-stream;q=0.5, application/json", false],
  ["text/event-stream;q=0, application/json;q=0", false],
  ["text/event-stream;q=x, */*", false],
  ["*/*", false],
  ["", false],
  [undefined, false],
])("Accept: %s → %s", (accept, expected) => {
  expect(prefersEventStream(accept)).toBe(expected);
});
