import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { httpMainPath, stdioMainPath } from "../index.js";
import { initialize, modernRequest } from "./stdio-pipe.js";
import { modern } from "./support.js";

/** The built programs: `index.ts` names its neighbours, and the neighbours of the source are no programs. */
const built = (path: string): string => path.replace(fileURLToPath(new URL("..", import.meta.url)), DIST);
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const children: ChildProcess[] = [];

function run(main: string, ...flags: string[]): ChildProcess {
  const child = spawn(process.execPath, [built(main), ...flags], { stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  return child;
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

const line = (message: object): string => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`;

const streams = (
  child: ChildProcess,
): { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } => {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
  return { stdin, stdout, stderr };
};

describe("the stdio program as a process", () => {
  test("answers what was asked before the end of its input, then exits with 0; nothing else on stdout", async () => {
    const child = run(stdioMainPath);
    const { stdin, stdout, stderr } = streams(child);
    stdin.end(line(modernRequest(1, "server/discover")) + line(initialize()) + line({ id: 2, method: "tools/list" }));
    const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, "exit")]);
    expect([code, err]).toEqual([0, ""]);
    const answers = out
      .trimEnd()
      .split("\n")
      .map((each) => JSON.parse(each) as { id: unknown });
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2, "init"]));
    expect(answers).toHaveLength(3);
  });

  test("exits while a call is running, for the end of its input is the signal to go", async () => {
    const child = run(stdioMainPath);
    const { stdin } = streams(child);
    stdin.end(line(modernRequest(1, "tools/call", { name: "slow", arguments: { ms: 600_000 } })));
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("crash exits with 1 in the middle of the call, and only with --allow-crash", async () => {
    const child = run(stdioMainPath, "--allow-crash");
    const { stdin, stdout } = streams(child);
    stdin.write(line(modernRequest(1, "tools/call", { name: "crash" })));
    const [out, exit] = await Promise.all([text(stdout), once(child, "exit")]);
    expect([out, exit]).toEqual(["", [1, null]]);
  });

  test("--ignore-eof survives the end of its input and SIGTERM; SIGKILL ends it", async () => {
    const child = run(stdioMainPath, "--ignore-eof");
    const { stdin, stdout } = streams(child);
    stdin.end(line(modernRequest(1, "server/discover")));
    await once(stdout, "data");
    child.kill("SIGTERM");
    // Nothing tells that a process has ignored something, so a whole other process lives and dies meanwhile.
    const other = run(stdioMainPath);
    streams(other).stdin.end();
    await once(other, "exit");
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    child.kill("SIGKILL");
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
  });

  test("without --ignore-eof SIGTERM ends it", async () => {
    const child = run(stdioMainPath);
    const { stdin, stdout } = streams(child);
    stdin.write(line(modernRequest(1, "server/discover")));
    await once(stdout, "data");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  });

  test("a misspelt flag is one line on stderr and 1", async () => {
    const child = run(stdioMainPath, "--eara", "both");
    const { stdout, stderr } = streams(child);
    const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, "exit")]);
    expect([out, code]).toEqual(["", 1]);
    expect(err).toMatch(/^Unknown option '--eara'.*\n$/);
  });
});

describe("the HTTP program as a process", () => {
  test.each([["SIGTERM"], ["SIGINT"]] as const)("prints its URL, serves, and exits with 0 on %s", async (signal) => {
    const child = run(httpMainPath);
    let out = "";
    streams(child).stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    const url = await vi.waitFor(
      () => {
        const found = /http:\S+/.exec(out)?.[0];
        if (found === undefined) throw new Error(`no URL in ${JSON.stringify(out)}`);
        return found;
      },
      { timeout: 10_000 },
    );
    expect((await modern(url, "server/discover")).status).toBe(200);
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(out).toBe(`MCP fixture server ready at ${url}\n`);
  });
});
