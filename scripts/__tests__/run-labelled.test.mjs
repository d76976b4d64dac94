import path from "node:path";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, expect, test } from "vitest";
import { labelledLines } from "../labelled-lines.mjs";
import { runLabelled } from "../run-labelled.mjs";

/** @type {string[]} */
const folders = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** @param {string} text */
function scriptOf(text) {
  const folder = mkdtempSync(path.join(tmpdir(), "labelled-"));
  folders.push(folder);
  const script = path.join(folder, "script.mjs");
  writeFileSync(script, text);
  return { folder, script };
}

test("a line is written when it is whole, however it came, and the last one without an end all the same", () => {
  /** @type {string[]} */
  const written = [];
  const lines = labelledLines("p |", (text) => void written.push(text));
  for (const piece of ["on", "e\n", "two\n\nth", "ree"]) lines.push(piece);
  expect(written).toEqual(["p | one\n", "p | two\np | \n"]);
  lines.end();
  lines.end();
  expect(written).toEqual(["p | one\n", "p | two\np | \n", "p | three\n"]);
});

test("passes on every line of both outputs under its label, and the exit code", async () => {
  const { folder, script } = scriptOf(
    "console.log(process.argv[2] + ' of ' + process.cwd()); console.error('bad'); process.exitCode = 3;",
  );
  let text = "";
  const code = await runLabelled("pkg |", script, ["tests"], { cwd: folder, write: (more) => void (text += more) });
  expect(code).toBe(3);
  expect(text.split("\n").toSorted()).toEqual(["", "pkg | bad", `pkg | tests of ${folder}`]);
});

test("a large output of two programs at once keeps its lines whole, and none is lost", async () => {
  const { folder, script } = scriptOf(
    "for (let i = 0; i < 20_000; i++) console.log(process.argv[2] + ' ' + i + ' ' + 'x'.repeat(40));",
  );
  let text = "";
  const write = (/** @type {string} */ more) => void (text += more);
  const codes = await Promise.all(["a", "b"].map((name) => runLabelled(name, script, [name], { cwd: folder, write })));
  expect(codes).toEqual([0, 0]);
  const lines = text.trimEnd().split("\n");
  for (const name of ["a", "b"]) {
    const own = lines.filter((line) => line.startsWith(`${name} `));
    expect(own).toEqual(Array.from({ length: 20_000 }, (_, i) => `${name} ${name} ${i} ${"x".repeat(40)}`));
  }
  expect(lines).toHaveLength(40_000);
});

test("a program that a signal ended has failed", async () => {
  const { folder, script } = scriptOf("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1_000);");
  expect(await runLabelled("p", script, [], { cwd: folder, write: () => {} })).toBe(143);
});

test("a process that outlives the program is not waited for", async () => {
  const { folder, script } = scriptOf(
    "import { spawn } from 'node:child_process'; const child = spawn('sleep', ['60'], { stdio: 'inherit', detached: true }); child.unref(); console.log('pid ' + child.pid);",
  );
  let text = "";
  expect(await runLabelled("p", script, [], { cwd: folder, write: (more) => void (text += more) })).toBe(0);
  const pid = Number(/pid (\d+)/.exec(text)?.[1]);
  process.kill(pid, "SIGKILL");
}, 20_000);
