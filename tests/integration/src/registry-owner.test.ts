import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { programHome, type ProgramHome } from "./support/program-home.js";

const WAIT = { timeout: 30_000, interval: 20 };
const NOWHERE = "http://127.0.0.1:9/mcp";

const keysOf = async (gateway: GatewayProcess): Promise<readonly string[]> =>
  (await gateway.status()).connectors.map(({ key }) => key);

async function stored({ folder }: ProgramHome): Promise<readonly string[]> {
  const text = await readFile(path.join(folder, "mcp", "servers.json"), "utf8");
  return (JSON.parse(text) as { servers: { name: string }[] }).servers.map(({ name }) => name);
}

test("R12: a gateway that is suspended locks nobody out, and does later nothing of what was asked of it meanwhile", async () => {
  const home = await programHome();
  const gateway = await startGateway(home);
  process.kill(gateway.pid, "SIGSTOP");
  try {
    const added = await home.run("add", "docs", NOWHERE);
    expect([added.code, added.err]).toEqual([
      0,
      expect.stringMatching(/^cortex-mcp: warning: the running gateway \(pid \d+\) did not answer within 2 s; [^\n]+$/),
    ]);
    expect(await stored(home)).toEqual(["docs"]);
    expect(await home.run("remove", "docs")).toMatchObject({ code: 0 });
    expect(await home.run("add", "other", NOWHERE)).toMatchObject({ code: 0 });
  } finally {
    process.kill(gateway.pid, "SIGCONT");
  }
  await vi.waitFor(async () => expect(await keysOf(gateway)).toEqual(["other"]), WAIT);
  // It has answered, and so has read what was sent to it before.
  expect(await home.run("add", "last", NOWHERE)).toMatchObject({ code: 0, err: "" });
  expect(await keysOf(gateway)).toEqual(["last", "other"]);
  expect(await stored(home)).toEqual(["other", "last"]);
  const { out } = await home.run("registry", "history", "--json");
  expect((JSON.parse(out) as { total: number }).total).toBe(4);
});

test("R11: what the gateway acknowledged is there after it is killed, in servers.json and in the next gateway", async () => {
  const home = await programHome();
  const first = await startGateway(home);
  expect(await home.run("add", "docs", NOWHERE)).toMatchObject({ code: 0, err: "" });
  await first.stop("SIGKILL");
  expect(await stored(home)).toEqual(["docs"]);
  const second = await startGateway(home);
  expect(await keysOf(second)).toEqual(["docs"]);
  expect(await home.run("registry", "undo", "--yes")).toMatchObject({ code: 0, err: "" });
  expect(await keysOf(second)).toEqual([]);
  expect((await home.run("registry", "verify")).code).toBe(0);
});

test("R12: commands and a gateway that comes and goes use one registry at once, and lose nothing", async () => {
  const home = await programHome();
  const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const adding = (async () => {
    const ran = [];
    for (const name of names) ran.push(await home.run("add", name, NOWHERE));
    return ran;
  })();
  for (let round = 0; round < 3; round += 1) {
    const gateway = await startGateway(home);
    await gateway.stop(round % 2 === 0 ? "SIGKILL" : "SIGTERM");
  }
  const codes = (await adding).map(({ code, err }) => [code, err]);
  expect(codes).toEqual(names.map(() => [0, ""]));
  expect(await stored(home)).toEqual(names);
  expect((await home.run("registry", "verify")).out).toContain(`History: ${names.length} changes`);
});
