import { describe, expect, test, vi } from "vitest";
import { run } from "../run.js";
import { connector, publishing, type Published } from "./publishing.js";
import { servingHomeOf } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

const WAIT = { timeout: 20_000, interval: 50 };
const FIVE = ["a", "b", "c", "d", "e"];

/** Connectors that nobody serves: these tests are about maps. */
const entries = (ids: readonly string[], more: object = {}): readonly object[] =>
  ids.map((id) => connector(id, "http://127.0.0.1:1/mcp", more));

interface MapView {
  readonly id?: string;
  readonly pinned?: string;
  readonly held?: { readonly id: string };
}

async function mapStatus(io: TestIo): Promise<MapView> {
  const { out } = await io.run("status", "--json");
  return (JSON.parse(out) as { serviceMap: MapView }).serviceMap;
}

/** Waits until another map than `before` is in force, and gives its id. */
async function nextMap(io: TestIo, before?: string): Promise<string> {
  return vi.waitFor(async () => {
    const { id } = await mapStatus(io);
    if (id === undefined || id === before) throw new Error("it is still the same map");
    return id;
  }, WAIT);
}

/** A gateway with five connectors of a map in force, and a published one that would leave two of them. */
async function holding(): Promise<{
  io: TestIo;
  map: Published;
  id: string;
  held: string;
  stop: () => Promise<number>;
}> {
  const map = await publishing(entries(FIVE));
  const io = await createTestIo({ env: map.env });
  const { stop } = await servingHomeOf(io);
  const id = await nextMap(io);
  await map.publish([...entries(["a"]), ...entries(["b"], { version: "2.0.0" })]);
  const held = await vi.waitFor(async () => {
    const status = await mapStatus(io);
    expect(status).toHaveProperty("held");
    return status.held?.id ?? "";
  }, WAIT);
  return { io, map, id, held, stop };
}

describe("R6: a map that takes most connectors away", () => {
  test("is held, with what it takes away and what to do; accept puts it in force", async () => {
    const { io, id, held } = await holding();
    expect(await mapStatus(io)).toMatchObject({ id, held: { id: held } });
    const { out } = await io.run("status");
    expect(out).toMatch(new RegExp(`^ {2}held: ${held} of .+map accept`, "m"));
    expect(out).toMatch(/^ {2}it takes away: c, d, e$/m);
    const diff = await io.run("map", "diff");
    expect(diff.out.split("\n")).toEqual([
      expect.stringMatching(new RegExp(`^${held} of \\S+, against ${id} of \\S+:$`)),
      "- c",
      "- d",
      "- e",
      "~ b: version",
      "3 removed, 1 changed, 0 added, 1 as before.",
      "It is held; cortex-mcp map accept puts it in force.",
    ]);
    const json = JSON.parse((await io.run("map", "diff", "--json")).out) as unknown;
    expect(json).toMatchObject({
      from: { id },
      to: { id: held },
      removed: ["c", "d", "e"],
      changed: [{ id: "b", members: ["version"] }],
    });
    expect(await io.run("map", "accept")).toEqual({
      code: 1,
      out: "",
      err: "cortex-mcp: this asks first, and there is no terminal; add --yes",
    });
    expect(await mapStatus(io)).toMatchObject({ id });
    const accepted = await io.run("map", "accept", "--yes", "--json");
    expect(JSON.parse(accepted.out)).toMatchObject({ id: held, message: expect.any(String) });
    expect(await mapStatus(io)).toMatchObject({ id: held });
    expect((await io.run("list", "--json")).out).not.toContain('"c"');
    const after = await io.run("map", "diff");
    expect(after.out).toContain("3 removed, 1 changed");
    expect(after.out).not.toContain("held");
    const nothing = await io.run("map", "accept", "--yes");
    expect([nothing.code, nothing.err]).toEqual([1, expect.stringMatching(/^cortex-mcp: No service map is held/)]);
  });

  test.each([
    ["y", 0],
    ["YES", 0],
    ["n", 1],
    ["", 1],
  ])("at a terminal it is asked for: the answer %j exits with %i", async (answer, code) => {
    const { io, id, held } = await holding();
    const person = await createTestIo({ env: { CORTEX_HOME: io.home }, terminal: true, input: answer });
    const ran = await person.run("map", "accept");
    expect(ran.code).toBe(code);
    expect(person.errLines).toContain("- c");
    expect(person.errLines).toContain(`Put ${held} in force? [y/N]`);
    expect(await mapStatus(io)).toMatchObject({ id: code === 0 ? held : id });
    if (code === 1) expect(person.errLines.at(-1)).toBe("Nothing was changed.");
  });

  test("is accepted without a gateway too, and the next one starts with it", async () => {
    const { io, held, stop } = await holding();
    await stop();
    expect((await io.run("map", "diff")).out).toContain("It is held");
    expect(await io.run("map", "accept", "--yes")).toMatchObject({ code: 0, out: expect.stringContaining(held) });
    expect(JSON.parse((await io.run("list", "--json")).out)).toMatchObject([{ name: "a" }, { name: "b" }]);
    await servingHomeOf(io);
    await vi.waitFor(async () => expect(await mapStatus(io)).toMatchObject({ id: held }), WAIT);
  });
});

describe("R6: which map is in force is a person's to say", () => {
  test("rollback serves the one before and stays with it, pin --off follows the newest again", async () => {
    const map = await publishing(entries(["a"]));
    const io = await createTestIo({ env: map.env });
    await servingHomeOf(io);
    const first = await nextMap(io);
    const none = await io.run("map", "rollback", "--yes");
    expect([none.code, none.err]).toEqual([1, expect.stringMatching(/^cortex-mcp: There is no older service map/)]);
    await map.publish(entries(["a", "b"]));
    const second = await nextMap(io, first);
    const person = await createTestIo({ env: { CORTEX_HOME: io.home }, terminal: true, input: "n" });
    expect((await person.run("map", "rollback")).code).toBe(1);
    expect(person.errLines[0]).toMatch(new RegExp(`^Serve ${first} of \\S+ again\\? \\[y/N\\]$`));
    expect(await io.run("map", "rollback", "--yes")).toMatchObject({ code: 0, out: expect.stringContaining(first) });
    expect(await mapStatus(io)).toMatchObject({ id: first, pinned: first });
    expect((await io.run("status")).out).toContain(`  pinned to ${first}; cortex-mcp map pin --off follows the newest`);
    await map.publish(entries(["a", "b", "c"]));
    await vi.waitFor(async () => expect((await io.run("map", "diff")).out).toContain("+ c"), WAIT);
    expect(await mapStatus(io)).toMatchObject({ id: first });
    expect(await io.run("map", "rollback", "--yes")).toMatchObject({ code: 1 });
    expect((await io.run("map", "pin", "--off")).code).toBe(0);
    expect((await mapStatus(io)).id).not.toBe(first);
    expect(await io.run("map", "pin", second)).toMatchObject({ code: 0, out: expect.stringContaining(second) });
    expect(await mapStatus(io)).toMatchObject({ id: second, pinned: second });
    const unknown = await io.run("map", "pin", "nonsense", "--json");
    expect(unknown.code).toBe(1);
    expect(unknown.out).toContain(second);
    expect(await io.run("map", "pin", first, "--off")).toMatchObject({
      code: 1,
      err: "cortex-mcp: map pin takes an id or --off, not both",
    });
  });

  test("rollback at a terminal serves the map that was asked about, whatever came meanwhile", async () => {
    const map = await publishing(entries(["a"]));
    const io = await createTestIo({ env: map.env });
    await servingHomeOf(io);
    const first = await nextMap(io);
    await map.publish(entries(["a", "b"]));
    const second = await nextMap(io, first);
    const person = await createTestIo({ env: { CORTEX_HOME: io.home }, terminal: true });
    const rolling = run(["map", "rollback"], {
      ...person,
      readLine: async () => {
        await map.publish(entries(["a", "b", "c"]));
        await nextMap(io, second);
        return "y";
      },
    });
    expect(await rolling).toBe(0);
    expect(person.errLines[0]).toContain(`Serve ${first} of `);
    expect(await mapStatus(io)).toMatchObject({ id: first, pinned: first });
  });

  test("without a gateway what is kept is pinned, and the next gateway keeps to it", async () => {
    const map = await publishing(entries(["a"]));
    const io = await createTestIo({ env: map.env });
    const { stop } = await servingHomeOf(io);
    const first = await nextMap(io);
    await stop();
    expect(JSON.parse((await io.run("map", "pin", "--json")).out)).toMatchObject({ id: first });
    await map.publish(entries(["a", "b"]));
    await servingHomeOf(io);
    await vi.waitFor(async () => expect((await io.run("map", "diff")).out).toContain("+ b"), WAIT);
    expect(await mapStatus(io)).toMatchObject({ id: first, pinned: first });
  });

  test("accept --reset-floor asks, and says what it means", async () => {
    const map = await publishing(entries(["a"]));
    const io = await createTestIo({ env: map.env });
    const gateway = await servingHomeOf(io);
    await nextMap(io);
    expect((await io.run("map", "accept", "--reset-floor")).err).toMatch(/add --yes$/);
    const person = await createTestIo({ env: { CORTEX_HOME: io.home }, terminal: true, input: "n" });
    expect((await person.run("map", "accept", "--reset-floor")).code).toBe(1);
    expect(person.errLines[0]).toMatch(/An older one with a valid signature is then accepted once more\. \[y\/N\]$/);
    const reset = await io.run("map", "accept", "--reset-floor", "--yes");
    expect(reset).toMatchObject({ code: 0, out: expect.stringMatching(/^The floor is reset/) });
    await vi.waitFor(() => expect(gateway.io.errLines.join("\n")).toMatch(/floor/i), WAIT);
  });

  test("what there is none of is told in one line", async () => {
    const io = await createTestIo();
    for (const words of [["diff"], ["accept", "--yes"], ["rollback", "--yes"], ["pin"]]) {
      expect(await io.run("map", ...words)).toMatchObject({
        code: 1,
        err: "cortex-mcp: no service map is configured: set CONNECTORS_SERVICE_MAP_URL, or serviceMap.url in config.json",
      });
    }
    await servingHomeOf(io);
    expect((await io.run("map", "diff")).err).toMatch(/^cortex-mcp: This gateway has no service map: set CONNECTORS_/);
    const map = await publishing([]);
    const other = await createTestIo({ env: map.env });
    expect((await other.run("map", "diff")).err).toBe(
      "cortex-mcp: there is no service map yet, so nothing to compare; cortex-mcp map refresh fetches one",
    );
    expect((await other.run("map", "pin")).err).toMatch(/^cortex-mcp: There is no service map yet/);
    expect((await other.run("list")).err).toMatch(
      /the service map has not been fetched yet; cortex-mcp serve fetches it$/,
    );
  });
});
