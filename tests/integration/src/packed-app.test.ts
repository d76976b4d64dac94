import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest, ROOT } from "./workspace-files.js";

const run = promisify(execFile);

/**
 * The package as npm would publish it, unpacked where there is nothing else: no workspace around it, and no `node_modules` in which something that is missing
 * from the bundle could be found.
 */
describe("the packed cortex-mcp", () => {
  let folder: string;
  let program: string;
  let manifest: { readonly bin: Readonly<Record<string, string>>; readonly dependencies?: object };
  const packed = (...names: string[]): string => path.join(folder, "package", ...names);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "cortex-packed-"));
    const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: path.join(ROOT, "apps/cortex-mcp"),
    });
    const [archive] = JSON.parse(stdout) as [{ filename: string }];
    await run("tar", ["-xzf", path.join(folder, archive.filename), "-C", folder]);
    manifest = JSON.parse(await readFile(packed("package.json"), "utf8")) as typeof manifest;
    program = packed(manifest.bin["cortex-mcp"] ?? "");
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  const env = (home: string) => ({ PATH: process.env["PATH"], HOME: home, CORTEX_HOME: path.join(home, "cortex") });

  async function command(home: string, ...args: string[]) {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: env(home), stdio: "pipe" });
    child.stdin.end();
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { code: child.exitCode, out, err };
  }

  test("needs no other package, and is nothing but the bundle and the schema", async () => {
    expect(manifest.dependencies).toBeUndefined();
    expect((await readdir(packed())).toSorted()).toEqual(["README.md", "bundle", "config.schema.json", "package.json"]);
    const files = await readdir(packed("bundle"));
    expect(files.filter((name) => !/^[\w-]+\.js$/.test(name))).toEqual(["THIRD-PARTY-LICENSES.txt"]);
  });

  test("hands on the licence of every library in it", async () => {
    const licenses = await readFile(packed("bundle", "THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["@modelcontextprotocol/client", "ajv", "commander", "pino", "prom-client", "undici", "zod"])
      expect(licenses).toMatch(
        new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)\\n\\n.*(licen[cs]e|copyright)`, "im"),
      );
  });

  test("says its version, and helps", async () => {
    const { version } = readManifest("apps/cortex-mcp");
    expect(await command(folder, "--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
    expect((await command(folder, "--help")).out).toMatch(/^ {2}serve \[options\]/m);
  });

  test("calls tools of a server over HTTP and of one over stdio", async () => {
    const home = await mkdtemp(path.join(folder, "home-"));
    const web = await startFixtureHttp({});
    try {
      expect(await command(home, "add", "web", web.url)).toMatchObject({ code: 0, err: "" });
      expect(await command(home, "add", "child", "--", process.execPath, stdioMainPath)).toMatchObject({
        code: 0,
        err: "",
      });
      for (const name of ["web", "child"]) {
        const answer = await command(home, "call", `${name}__echo`, '{"message":"hello"}');
        expect(answer).toMatchObject({ code: 0, err: "" });
        expect(answer.out).toContain("hello");
      }
      expect((await command(home, "list")).out).toMatch(/^web +registry/m);
    } finally {
      await web.close();
    }
  });
});
