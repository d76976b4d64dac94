import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { withServers } from "../server-process.js";

const serve = "console.error('so far so good'); console.log('at http://127.0.0.1:1/'); setInterval(() => {}, 1_000)";

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("what was started is gone when the work is done, and its folder too", async () => {
  const { folder, pid } = await withServers(async ({ folder: own, start }) => {
    const server = await start(["-e", serve]);
    expect(server.url).toBe("http://127.0.0.1:1/");
    expect(isAlive(server.pid)).toBe(true);
    return { folder: own, pid: server.pid };
  });
  expect([isAlive(pid), existsSync(folder)]).toEqual([false, false]);
});

test("work that fails tells what the servers logged, and still ends them", async () => {
  const pids: number[] = [];
  const failing = withServers(async ({ start }) => {
    pids.push((await start(["-e", serve])).pid);
    throw new Error("no answer");
  });
  await expect(failing).rejects.toThrow(/^no answer\nso far so good$/);
  expect(pids.map(isAlive)).toEqual([false]);
});

test("a server that ends before it is ready is no server", async () => {
  const failing = withServers(async ({ start }) => start(["-e", "console.error('port taken'); process.exit(1)"]));
  await expect(failing).rejects.toThrow("the server ended before it was ready\nport taken");
});

test("settings of whoever runs the benchmark do not reach what is measured", async () => {
  process.env["CONNECTORS_SERVICE_MAP_URL"] = "http://elsewhere.example/";
  try {
    const print = "console.log('http://' + process.env.CONNECTORS_SERVICE_MAP_URL); setInterval(() => {}, 1_000)";
    const url = await withServers(async ({ start }) => (await start(["-e", print])).url);
    expect(url).toBe("http://undefined");
  } finally {
    delete process.env["CONNECTORS_SERVICE_MAP_URL"];
  }
});
