import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fillIn } from "../fill-in.js";
import { FOLDER, type PublishedServer } from "../published-server.js";
import { registryEntry, serverFolder, writeRegistry } from "../write-registry.js";

const server: PublishedServer = {
  name: "tea",
  package: "@shop/tea",
  version: "1.2.3",
  entry: "dist/index.js",
  args: ["--in", `${FOLDER}/leaves`],
  env: { POT: `${FOLDER}/pot`, HOME: "/elsewhere" },
  tools: 1,
  call: { tool: "brew", arguments: {}, expected: { text: "done" } },
};

test("a server's folder is filled in wherever it stands, also when its path needs escapes", () => {
  const folder = String.raw`C:\tea "green"`;
  expect(fillIn({ a: [`${FOLDER}/b ${FOLDER}`], c: 1 }, folder)).toEqual({ a: [`${folder}/b ${folder}`], c: 1 });
});

test("Node runs the entry of the installed package, at home in the server's own folder; its own settings win", () => {
  expect(registryEntry(server, "/cache/tea", "/home/someone/tea", { MARK: "1" })).toEqual({
    name: "tea",
    transport: "stdio",
    command: process.execPath,
    args: ["/cache/tea/node_modules/@shop/tea/dist/index.js", "--in", "/home/someone/tea/leaves"],
    env: { HOME: "/elsewhere", TMPDIR: "/home/someone/tea", MARK: "1", POT: "/home/someone/tea/pot" },
    cwd: "/home/someone/tea",
  });
});

test("the registry is written with the folders it speaks of, and the fixture files in them", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "cortex-published-test-"));
  onTestFinished(async () => rm(home, { recursive: true }));
  await writeRegistry(home, "/cache", [server], {});
  const { servers } = JSON.parse(await readFile(path.join(home, "mcp", "servers.json"), "utf8"));
  expect(servers).toEqual([registryEntry(server, "/cache/@shop+tea@1.2.3", serverFolder(home, server), {})]);
  expect(await readFile(path.join(serverFolder(home, server), "note.txt"), "utf8")).toBe("Hello from a file.\n");
});
