import { expect, test } from "vitest";
import {
  eraOfRevision,
  isLegacyRevision,
  isModernRevision,
  LATEST_LEGACY,
  LATEST_MODERN,
  SUPPORTED_REVISIONS,
} from "../revisions.js";

test("the revisions spoken, newest first", () => {
  expect(SUPPORTED_REVISIONS).toEqual(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
  expect(LATEST_MODERN).toBe("2026-07-28");
  expect(LATEST_LEGACY).toBe("2025-11-25");
});

test.each([
  ["2026-07-28", "modern", true, false],
  ["2027-01-01", "modern", false, false],
  ["2025-11-25", "legacy", false, true],
  ["2024-11-05", "legacy", false, true],
  ["2024-10-07", "legacy", false, false],
  ["2026-07-27", "legacy", false, false],
  ["", "legacy", false, false],
])("%j is of the %s era; spoken: modern %s, legacy %s", (revision, era, modern, legacy) => {
  expect(eraOfRevision(revision)).toBe(era);
  expect(isModernRevision(revision)).toBe(modern);
  expect(isLegacyRevision(revision)).toBe(legacy);
});
