import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { MARK, markedProcesses } from "../process-marks.mjs";

describe.runIf(process.platform === "linux")("markedProcesses", () => {
  test("finds the grandchild of a marked process, and nothing once it is gone", async () => {
    const mark = `test-${process.pid}`;
    const child = spawn("sh", ["-c", "sleep 60 & wait"], {
      env: { ...process.env, [MARK]: mark },
      stdio: "ignore",
      detached: true,
    });
    try {
      await expect.poll(() => markedProcesses(mark)?.map(({ command }) => command)).toContain("sleep 60");
    } finally {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    }
    await once(child, "close");
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
  });
});
