import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readManifest, ROOT } from "./workspace-files.js";

/**
 * The built program as a person meets it, on whatever Node runs this test: CI runs this file on Node 24 as well, so it
 * stays short and needs nothing but the build.
 */
describe(`cortex-mcp on Node ${process.versions.node}`, () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "cortex-smoke-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  function start(...args: string[]) {
    const program = path.join(ROOT, "apps/cortex-mcp/bundle/main.js");
    const env = { ...process.env, CORTEX_HOME: home };
    return spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function run(...args: string[]) {
    const child = start(...args);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { code: child.exitCode, out, err };
  }

  test("says its version", async () => {
    expect(await run("--version")).toEqual({ code: 0, out: `${readManifest("apps/cortex-mcp").version}\n`, err: "" });
  });

  test("keeps what is added, and answers a mistake with one line", async () => {
    expect(await run("add", "echo", "http://127.0.0.1:9/mcp")).toMatchObject({ code: 0, err: "" });
    const { out } = await run("list", "--json");
    expect(JSON.parse(out)).toMatchObject([{ name: "echo", endpoint: "http://127.0.0.1:9/mcp" }]);
    const mistake = await run("add", "bad name", "http://127.0.0.1:9/mcp");
    expect(mistake).toMatchObject({ code: 1, out: "" });
    expect(mistake.err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("serves on the URL that it prints, and leaves with 0 when asked to", async () => {
    const child = start("serve", "--port", "0");
    const closed = once(child, "close");
    child.stderr.resume();
    try {
      const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      expect(await fetch(`${url}/livez`).then((response) => response.status)).toBe(200);
    } finally {
      child.kill("SIGTERM");
      await closed;
    }
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
  });
});
