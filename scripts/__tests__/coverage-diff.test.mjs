import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { coverageDiff, judge, parseDiff, parseLcov } from "../coverage-diff.mjs";

describe("parseLcov", () => {
  test("keeps the hits of each file apart", () => {
    const files = parseLcov("TN:\nSF:src/a.ts\nDA:1,2\nDA:2,0\nend_of_record\nSF:src/b.ts\nDA:1,0\nend_of_record\n");
    expect([...files].map(([file, hits]) => [file, [...hits]])).toEqual([
      [
        "src/a.ts",
        [
          [1, 2],
          [2, 0],
        ],
      ],
      ["src/b.ts", [[1, 0]]],
    ]);
  });
});

describe("parseDiff", () => {
  test("lists added and changed lines, none of deletions", () => {
    const diff = [
      "diff --git a/x.ts b/x.ts",
      "--- a/x.ts",
      "+++ b/x.ts",
      "@@ -3 +3,2 @@ f",
      "-old",
      "+new",
      "+new",
      "@@ -9,2 +10,0 @@",
      "-gone",
      "-gone",
      "diff --git a/y.ts b/y.ts",
      "--- a/y.ts",
      "+++ /dev/null",
      "@@ -1 +0,0 @@",
      "-gone",
    ].join("\n");
    expect([...parseDiff(diff)]).toEqual([["x.ts", [3, 4]]]);
  });

  test("does not take a line of the file for a header", () => {
    const diff = ["diff --git a/x.ts b/x.ts", "--- a/x.ts", "+++ b/x.ts", "@@ -1 +1 @@", "+++ b/evil.ts"].join("\n");
    expect([...parseDiff(diff).keys()]).toEqual(["x.ts"]);
  });
});

describe("judge", () => {
  test("counts executable lines only", () => {
    const hits = new Map([
      [1, 1],
      [2, 0],
      [3, 4],
    ]);
    expect(judge(new Map([["x.ts", [1, 2, 7]]]), new Map([["x.ts", hits]]))).toEqual({
      total: 2,
      covered: 1,
      percent: 50,
      missed: [{ file: "x.ts", lines: [2] }],
    });
  });

  test("is content when nothing that can run has changed", () => {
    expect(judge(new Map(), new Map()).percent).toBe(100);
  });
});

describe("coverageDiff (R19)", () => {
  /** @type {string} */
  let folder;
  /** @type {string[]} */
  let printed;
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], { cwd: folder });
  const write = (/** @type {string} */ file, /** @type {string} */ text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const lcov = (/** @type {readonly number[]} */ hits) =>
    write(
      "packages/p/coverage/lcov.info",
      `SF:src/a.ts\n${hits.map((count, index) => `DA:${index + 1},${count}`).join("\n")}\nend_of_record\n`,
    );
  const run = () => coverageDiff({ folder, base: "HEAD", print: (line) => void printed.push(line) });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "coverage-diff-"));
    printed = [];
    git("init", "-q");
    write("packages/p/src/a.ts", "one\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    write("packages/p/src/a.ts", "one\ntwo\nthree\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("passes when the changed lines ran, whatever the old ones did", () => {
    lcov([0, 1, 5]);
    expect(run()).toBe(0);
    expect(printed.at(-1)).toContain("2 of 2 changed lines covered");
  });

  test("fails and names the lines that did not", () => {
    lcov([1, 1, 0]);
    expect(run()).toBe(1);
    expect(printed[0]).toBe("packages/p/src/a.ts: not covered: 3");
  });

  test("fails when there is no report, and says how to make one", () => {
    expect(run()).toBe(1);
    expect(printed).toEqual(["No coverage of packages/p: run `pnpm test:coverage` first."]);
  });

  test("leaves tests and entry points out", () => {
    git("checkout", "-q", "--", ".");
    for (const file of ["__tests__/a.test.ts", "main.ts", "http-main.ts"]) write(`packages/p/src/${file}`, "new\n");
    git("add", ".");
    expect(run()).toBe(0);
    expect(printed.at(-1)).toContain("0 of 0");
  });
});
