import { expect, test } from "vitest";
import { sectionOf, withSection } from "../generated-section.js";
import { scoreTable } from "../score-table.js";

const DOCUMENT = "# Title\n\n<!-- generated: a -->\n\nold\n\n<!-- end: a -->\n\nmore\n";

test("a section is read and replaced, and nothing around it", () => {
  expect(sectionOf(DOCUMENT, "a")).toBe("old");
  expect(withSection(DOCUMENT, "a", "new")).toBe(DOCUMENT.replace("old", "new"));
});

test("a section that is not there is not made up", () => {
  expect(sectionOf(DOCUMENT, "b")).toBeUndefined();
  expect(() => withSection(DOCUMENT, "b", "new")).toThrow("no section b");
});

test("the table has a column for each way, and warnings where there are any", () => {
  const score = (passed: number, failed: number, warnings: number) => ({ passed, failed, warnings });
  const run = { suite: "conformance-0.2", revision: "2025-03-26", era: "legacy", ceiling: 3 } as const;
  const scores = { direct: score(3, 0, 0), http: score(2, 1, 1), stdio: score(3, 0, 2) };
  expect(scoreTable([{ run, scores }]).split("\n").at(-1)).toBe(
    "| 0.2.0-alpha.12 | 2025-03-26 | 3 / 0 | 2 / 1, 1 warning | 3 / 0, 2 warnings |",
  );
});
