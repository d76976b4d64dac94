import { setMaxListeners } from "node:events";
import { startFixtureHttp, stdioMainPath, type FixtureHttp } from "@cortex-os/fixture-server";
import { systemTimers, type ServerInfo, type Timers } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { callInALoop } from "./support/call-loop.js";
import { startGateway } from "./support/gateway-process.js";
import { processSize } from "./support/process-size.js";
import { programHome } from "./support/program-home.js";
import { connectLegacyClient, connectModernClient, type RealClient } from "./support/real-clients.js";

/** The long form: `CORTEX_CHURN_ROUNDS=1000`. */
const ROUNDS = Number(process.env["CORTEX_CHURN_ROUNDS"] ?? "25");
// The SDKs hang a listener on one signal for every request, and let go of it when memory is collected.
setMaxListeners(0);

const WAIT = { timeout: 30_000, interval: 5 };

async function fixture(name: string, timers: Timers = systemTimers): Promise<FixtureHttp> {
  const server = await startFixtureHttp({ name, timers });
  onTestFinished(async () => server.close());
  return server;
}

const overHttp = (name: string, { url }: FixtureHttp): ServerInfo => ({ name, endpoint: url });
const overStdio = (name: string): ServerInfo => ({ name, command: process.execPath, args: [stdioMainPath] });

/** A client that lists again whenever it is told that the tools changed, as every client should. */
async function following(connect: (url: string) => Promise<RealClient>, url: string) {
  const client = await connect(url);
  onTestFinished(async () => client.close().catch(() => {}));
  let tools: readonly string[] = [];
  let wanted = true;
  onTestFinished(() => {
    wanted = false;
  });
  const look = async (): Promise<void> => {
    const listed = await client.tools();
    if (wanted) tools = listed;
  };
  await client.onToolsChanged(() => void look().catch(() => {}));
  await look();
  return { client, has: (connector: string): boolean => tools.some((name) => name.startsWith(`${connector}__`)) };
}

const bothClients = async (url: string) =>
  Promise.all([following(connectModernClient, url), following(connectLegacyClient, url)]);

test("R14: what one terminal adds is in connected clients' lists by itself, and what it removes is gone", async () => {
  const home = await programHome();
  const [one, two] = [await fixture("one"), await fixture("two")];
  await home.writeRegistry([overHttp("one", one)]);
  const gateway = await startGateway(home);
  const clients = await bothClients(gateway.url);
  await vi.waitFor(() => expect(clients.map(({ has }) => has("one"))).toEqual([true, true]), WAIT);
  const times: Record<string, number> = {};
  const until = async (what: string, command: readonly string[], expected: boolean): Promise<void> => {
    const started = performance.now();
    const ran = home.run(...command).then((result) => ({ ...result, afterMs: performance.now() - started }));
    await vi.waitFor(() => expect(clients.map(({ has }) => has("two"))).toEqual([expected, expected]), WAIT);
    times[`${what}: both clients' lists`] = Math.round(performance.now() - started);
    const { code, err, afterMs } = await ran;
    times[`${what}: the command itself`] = Math.round(afterMs);
    expect([code, err]).toEqual([0, ""]);
  };
  await until("add", ["add", "two", two.url], true);
  await until("remove", ["remove", "two"], false);
  process.stdout.write(`\nmilliseconds from the start of the command: ${JSON.stringify(times)}\n`);
});

test("R14: a call in flight ends on the server it went to, while a command changes or removes that; the next one goes to the new one", async () => {
  const home = await programHome();
  // Its tool that takes a second takes it when this test says so.
  const time = new ManualTime();
  const [old, fresh] = [await fixture("old", time), await fixture("fresh", time)];
  await home.writeRegistry([overHttp("docs", old)]);
  const gateway = await startGateway(home);
  const clients = await bothClients(gateway.url);
  await vi.waitFor(() => expect(clients.map(({ has }) => has("docs"))).toEqual([true, true]), WAIT);
  const times: Record<string, number> = {};
  /** Whether calls failed that were in flight while `command` was run and took effect. */
  const during = async (
    server: FixtureHttp,
    what: string,
    command: readonly string[],
    changed: () => Promise<void>,
  ) => {
    const started = performance.now();
    const calls = clients.map(async ({ client }) => client.call("docs__slow", { ms: 1_000, steps: 1 }));
    await vi.waitFor(() => expect(server.calls.inFlight).toBe(2), WAIT);
    expect(await home.run(...command)).toMatchObject({ code: 0, err: "" });
    await changed();
    times[`${what} took effect`] = Math.round(performance.now() - started);
    expect(server.calls.inFlight).toBe(2);
    await time.advance(1_000);
    const results = await Promise.all(calls);
    return results.map(({ isError }) => isError);
  };
  const isAnsweredByFresh = async (): Promise<void> =>
    vi.waitFor(async () => {
      const before = fresh.calls.completed;
      for (const { client } of clients) await client.call("docs__echo", { message: "hi" });
      expect(fresh.calls.completed).toBe(before + 2);
    }, WAIT);
  const changing = await during(old, "add --force", ["add", "--force", "docs", fresh.url], isAnsweredByFresh);
  expect(changing).toEqual([false, false]);
  const isGone = async (): Promise<void> =>
    vi.waitFor(() => expect(clients.map(({ has }) => has("docs"))).toEqual([false, false]), WAIT);
  expect(await during(fresh, "remove", ["remove", "docs"], isGone)).toEqual([false, false]);
  process.stdout.write(`\nmilliseconds from the start of the calls: ${JSON.stringify(times)}\n`);
});

test(
  `R14: ${ROUNDS} rounds of adding and removing under load cost no call of another connector, and nothing is left of them`,
  { timeout: 60_000 + ROUNDS * 5_000 },
  async () => {
    const home = await programHome();
    const [kept, comes] = [await fixture("kept"), await fixture("comes")];
    const base = [overHttp("kept", kept), overStdio("kept-stdio")];
    await home.writeRegistry(base);
    const gateway = await startGateway(home);
    const clients = await bothClients(gateway.url);
    await vi.waitFor(() => expect(clients.map(({ has }) => has("kept-stdio"))).toEqual([true, true]), WAIT);
    const loops = clients.flatMap(({ client }) =>
      ["kept__echo", "kept-stdio__echo"].map((tool) => callInALoop(client, tool)),
    );
    const has = (expected: boolean): void =>
      expect(clients.map((client) => client.has("comes"))).toEqual([expected, expected]);
    const sizes: object[] = [];
    const look = async (round: number): Promise<ReturnType<typeof processSize>> => {
      const size = processSize(gateway.pid);
      sizes.push({ round, ...size });
      return size;
    };
    // What starts lazily has started after the first rounds.
    const settled = Math.max(5, Math.floor(ROUNDS / 10));
    let before = processSize(gateway.pid);
    for (let round = 1; round <= ROUNDS; round += 1) {
      // A process now and then, a socket the other times.
      const entry = round % 10 === 0 ? overStdio("comes") : overHttp("comes", comes);
      await home.writeRegistry([...base, entry]);
      await vi.waitFor(() => has(true), WAIT);
      await home.writeRegistry(base);
      await vi.waitFor(() => has(false), WAIT);
      if (round === settled) before = await look(round);
      else if (round % Math.max(1, Math.floor(ROUNDS / 5)) === 0) await look(round);
    }
    const results = await Promise.all(loops.map(async (loop) => loop.stop()));
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    await vi.waitFor(() => {
      // A retired connector lets go of its sockets by and by.
      expect(processSize(gateway.pid).descriptors).toBeLessThanOrEqual(before.descriptors + 5);
    }, WAIT);
    const calls = results.reduce((sum, result) => sum + result.calls, 0);
    sizes.push({ round: "end", ...processSize(gateway.pid) });
    process.stdout.write(`\n${ROUNDS} rounds, ${calls} calls, 0 failed; ${JSON.stringify(sizes)}\n`);
    expect(processSize(gateway.pid).memoryMiB).toBeLessThan(before.memoryMiB + 64);
  },
);
