import { describe, expect, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { publishing } from "./support/map-publishers.js";
import { connector } from "./support/map-text.js";
import { programHome, type ProgramHome } from "./support/program-home.js";

const WAIT = { timeout: 20_000, interval: 20 };
const FIVE = ["a", "b", "c", "d", "e"];

/** Connectors that nobody serves: this is about maps. */
const named = (...ids: readonly string[]): readonly object[] =>
  ids.map((id) => connector(id, "http://127.0.0.1:1/mcp"));

/** Runs a command that must succeed, and gives what it printed. */
async function said(home: ProgramHome, ...words: readonly string[]): Promise<string> {
  const ran = await home.run("map", ...words);
  expect(ran).toMatchObject({ code: 0, err: "" });
  return ran.out;
}

const keysOf = async (gateway: GatewayProcess): Promise<string> => Object.keys(await gateway.states()).join("");

/** Waits until a map with these connectors is in force, and gives its id. */
async function inForce(gateway: GatewayProcess, ids: string): Promise<string> {
  await vi.waitFor(async () => expect(await keysOf(gateway)).toBe(ids), WAIT);
  return (await gateway.map()).id ?? "";
}

describe("R6: hold, accept, pin and rollback by the command line", () => {
  test("against a gateway that runs", async () => {
    const publisher = await publishing(named(...FIVE));
    const home = await programHome(publisher.env);
    const gateway = await startGateway(home);
    const all = await inForce(gateway, "abcde");

    await publisher.publish(named("a", "b"));
    await vi.waitFor(async () => expect((await gateway.map()).held?.removed).toEqual(["c", "d", "e"]), WAIT);
    const held = (await gateway.map()).held?.id ?? "";
    expect(await gateway.map()).toMatchObject({ id: all });
    expect(await gateway.metrics()).toMatch(/^brainwav_mcp_service_map_held 1$/m);
    expect((await said(home, "diff")).split("\n")).toEqual([
      expect.stringMatching(`^${held} of .+, against ${all} of `),
      ...["- c", "- d", "- e"],
      "3 removed, 0 changed, 0 added, 2 as before.",
      "It is held; cortex-mcp map accept puts it in force.",
    ]);
    // Nobody said yes: there is no terminal to ask at.
    expect(await home.run("map", "accept")).toMatchObject({ code: 1, err: expect.stringContaining("--yes") });
    expect(await said(home, "accept", "--yes")).toContain(held);
    expect(await inForce(gateway, "ab")).toBe(held);
    expect((await gateway.map()).held).toBeUndefined();

    expect(await said(home, "rollback", "--yes")).toContain(all);
    expect(await inForce(gateway, "abcde")).toBe(all);
    await publisher.publish(named("a", "b", "f"));
    await vi.waitFor(async () => expect(await said(home, "diff")).toContain("+ f"), WAIT);
    expect(await gateway.map()).toMatchObject({ id: all, pinned: all });
    await said(home, "pin", "--off");
    const newest = await inForce(gateway, "abf");
    expect(await said(home, "pin", held)).toContain(held);
    expect(await inForce(gateway, "ab")).toBe(held);
    expect(JSON.parse(await said(home, "pin", newest, "--json"))).toMatchObject({ id: newest });
    expect(await home.run("map", "pin", "nonsense")).toMatchObject({ code: 1, err: expect.stringContaining(held) });
    expect(await gateway.map()).toMatchObject({ id: newest, pinned: newest });
  }, 60_000);

  test("without one: what is kept is changed, and the next gateway starts with it", async () => {
    const publisher = await publishing(named(...FIVE));
    const home = await programHome(publisher.env);
    const first = await startGateway(home);
    const all = await inForce(first, "abcde");
    await publisher.publish(named("a", "b"));
    await vi.waitFor(async () => expect((await first.map()).held).toBeDefined(), WAIT);
    await first.stop();
    await publisher.close();

    expect(await said(home, "diff")).toContain("3 removed");
    const { id: held } = JSON.parse(await said(home, "accept", "--yes", "--json")) as { id: string };
    const second = await startGateway(home);
    expect(await inForce(second, "ab")).toBe(held);
    await second.stop("SIGKILL");

    expect(await said(home, "rollback", "--yes")).toContain(all);
    const third = await startGateway(home);
    expect(await inForce(third, "abcde")).toBe(all);
    expect(await third.map()).toMatchObject({ pinned: all });
    await third.stop();

    await said(home, "pin", "--off");
    const fourth = await startGateway(home);
    expect(await inForce(fourth, "ab")).toBe(held);
  }, 60_000);
});
