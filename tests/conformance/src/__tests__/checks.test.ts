import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { complaintsOf, readChecks, scoreOf } from "../checks.js";

async function folderWith(scenarios: Readonly<Record<string, readonly object[]>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-checks-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  for (const [name, checks] of Object.entries(scenarios)) {
    await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, name, "checks.json"), JSON.stringify(checks));
  }
  return folder;
}

test("the checks of every scenario are read and counted", async () => {
  const folder = await folderWith({
    "server-server-sse-polling-2026-12-01T09-11-02-604Z": [
      { id: "a", status: "SUCCESS" },
      { id: "a", status: "WARNING", errorMessage: "no retry field" },
    ],
    "server-json-schema-2020-12-2026-12-01T09-11-02-559Z": [
      { id: "b", status: "FAILURE", errorMessage: "stripped" },
      { id: "c", status: "INFO" },
    ],
    // Client mode says nothing of its mode, and has scenarios in folders.
    "auth/basic-cimd-2026-12-01T09-11-02-559Z": [{ id: "d", status: "FAILURE", errorMessage: "no" }],
  });
  const checks = await readChecks(folder);
  expect(scoreOf(checks)).toEqual({ passed: 1, failed: 2, warnings: 1 });
  expect(complaintsOf(checks)).toEqual([
    "auth/basic-cimd d: FAILURE: no",
    "json-schema-2020-12 b: FAILURE: stripped",
    "server-sse-polling a: WARNING: no retry field",
  ]);
});

test("a run that left no check is no run without a failure", async () => {
  await expect(readChecks(await folderWith({}))).rejects.toThrow("left no check");
});
