import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { servingHomeOf } from "./serving.js";
import { createTestIo, type TestIo, type TestIoOptions } from "./test-io.js";

const NONE_RUNS = "No gateway is running; cortex-mcp serve starts one.";
const RULE =
  "Kept are the changes of the current journal and of the one before it, about 1 MiB each; what older ones did is in servers.json alone.";
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** A home in which a server was added and changed, and another one added and removed. */
async function changed(options: TestIoOptions = {}): Promise<TestIo> {
  const io = await createTestIo(options);
  await io.run("add", "docs", "https://host/mcp", "-H", "Authorization: Bearer s3cret");
  await io.run("add", "mem", "-e", "TOKEN=s3cret", "--", "node");
  await io.run("disable", "docs");
  await io.run("remove", "mem");
  return io;
}

const without = (text: string): string[] => text.replaceAll(TIME, "TIME").split("\n");
const names = async (io: TestIo): Promise<string[]> =>
  (JSON.parse((await io.run("list", "--json")).out) as { name: string }[]).map(({ name }) => name);

/** When the changes were made, newest first. */
async function times(io: TestIo): Promise<string[]> {
  const { changes } = JSON.parse((await io.run("registry", "history", "--json")).out) as { changes: { at: string }[] };
  return changes.map(({ at }) => at);
}

describe("R11: the history of the registry", () => {
  test("is shown newest first, with how far back it reaches and why, and without a value", async () => {
    const io = await changed();
    const ran = await io.run("registry", "history");
    expect([ran.code, ran.err, without(ran.out)]).toEqual([
      0,
      "",
      [
        "TIME                      NAME  WHAT     BY",
        "TIME  mem   removed  a command",
        "TIME  docs  changed  a command",
        "TIME  mem   added    a command",
        "TIME  docs  added    a command",
        "It reaches back to TIME: 4 changes.",
        RULE,
      ],
    ]);
    const json = await io.run("registry", "history", "--json", "--limit", "1");
    expect(JSON.parse(json.out)).toEqual({
      changes: [
        expect.objectContaining({
          at: expect.stringMatching(TIME),
          name: "mem",
          kind: "removed",
          by: "command",
          undone: false,
        }),
      ],
      total: 4,
      rule: RULE,
    });
    expect(ran.out + json.out).not.toContain("s3cret");
  });

  test("is shown in part when there is much of it, which is said", async () => {
    const io = await changed();
    expect(without((await io.run("registry", "history", "--limit", "2")).out).slice(1)).toEqual([
      "TIME  mem   removed  a command",
      "TIME  docs  changed  a command",
      "It reaches back to TIME: 4 changes, of which 2 are shown.",
      RULE,
    ]);
    expect((await io.run("registry", "history", "--limit", "0")).err).toBe(
      'cortex-mcp: --limit must be a number from 1 on, not "0"',
    );
  });

  test("is empty in a new home", async () => {
    const io = await createTestIo();
    expect((await io.run("registry", "history")).out).toBe(`No change is known yet.\n${RULE}`);
  });

  test("knows edits by hand, also those of what is no server", async () => {
    const io = await changed();
    const file = path.join(io.home, "mcp/servers.json");
    await writeFile(file, (await readFile(file, "utf8")).replace('"servers"', '"note": "mine",\n  "servers"'));
    expect(without((await io.run("registry", "history", "--limit", "1")).out)[1]).toBe(
      "TIME  -     rearranged  an editor",
    );
  });
});

describe("R11: undo", () => {
  test("takes the changes back one after the other, and says so when there is none left", async () => {
    const io = await changed();
    const undo = async (): Promise<string[]> => without((await io.run("registry", "undo", "--yes")).out);
    expect(await undo()).toEqual(['"mem" is back: it was removed at TIME.', NONE_RUNS]);
    expect(await names(io)).toEqual(["docs", "mem"]);
    expect(await undo()).toEqual(['"docs" is as it was before: it was changed at TIME.', NONE_RUNS]);
    expect(await undo()).toEqual(['"mem" is gone again: it was added at TIME.', NONE_RUNS]);
    expect(await undo()).toEqual(['"docs" is gone again: it was added at TIME.', NONE_RUNS]);
    expect(await names(io)).toEqual([]);
    expect(await io.run("registry", "undo", "--yes")).toEqual({
      code: 1,
      out: "",
      err: "cortex-mcp: there is nothing to undo; cortex-mcp registry history shows what is known",
    });
    const { out } = await io.run("registry", "history");
    expect(without(out)[5]).toBe("TIME  mem   removed  a command  undone");
    expect(out).not.toContain("s3cret");
  });

  test("asks at a terminal, and tells what it is about", async () => {
    const io = await changed({ terminal: true, input: "n\ny" });
    const refused = await io.run("registry", "undo");
    expect([refused.code, refused.out, without(refused.err)]).toEqual([
      1,
      "",
      ['"mem" was removed by a command at TIME', "Take that back? [y/N]", "Nothing was changed."],
    ]);
    expect(await names(io)).toEqual(["docs"]);
    expect(await io.run("registry", "undo")).toMatchObject({ code: 0 });
    expect(await names(io)).toEqual(["docs", "mem"]);
  });

  test("asks nobody where there is nobody to ask", async () => {
    const io = await changed();
    for (const argv of [["undo"], ["restore", "--at", "1m"]]) {
      expect(await io.run("registry", ...argv)).toEqual({
        code: 1,
        out: "",
        err: "cortex-mcp: this asks first, and there is no terminal; add --yes",
      });
    }
  });

  test("goes through the gateway that runs, which serves it at once", async () => {
    const io = await changed();
    const { url } = await servingHomeOf(io);
    expect(without((await io.run("registry", "undo", "--yes")).out)).toEqual([
      '"mem" is back: it was removed at TIME.',
      `The running gateway at ${url} has picked it up.`,
    ]);
    const status = JSON.parse((await io.run("status", "--json")).out) as { connectors: { key: string }[] };
    expect(status.connectors.map(({ key }) => key)).toEqual(["docs", "mem"]);
    const json = JSON.parse((await io.run("registry", "undo", "--yes", "--json")).out) as object;
    expect(json).toEqual({
      undone: [expect.objectContaining({ name: "docs", kind: "changed", undone: true })],
      gateway: { running: true, url },
    });
  });
});

describe("R11: restore", () => {
  test("makes the registry what it was, says what that changed, and can be undone", async () => {
    const io = await changed();
    const [, , added = ""] = await times(io);
    const ran = await io.run("registry", "restore", "--at", added, "--yes");
    expect([ran.code, without(ran.out)]).toEqual([
      0,
      ['"docs" was changed.', '"mem" was added.', "The registry is what it was at TIME.", NONE_RUNS],
    ]);
    expect(await names(io)).toEqual(["docs", "mem"]);
    expect(without((await io.run("registry", "restore", "--at", added, "--yes")).out)).toEqual([
      "Nothing to do: the registry is what it was at TIME.",
    ]);
    expect(without((await io.run("registry", "undo", "--yes")).out).toSorted()).toEqual([
      '"docs" is as it was before: it was changed at TIME.',
      '"mem" is gone again: it was added at TIME.',
      NONE_RUNS,
    ]);
    expect(await names(io)).toEqual(["docs"]);
  });

  test("to before the beginning is to nothing, and asks first", async () => {
    const io = await changed({ terminal: true, input: "y" });
    const ran = await io.run("registry", "restore", "--at", "1h", "--json");
    expect(JSON.parse(ran.out)).toEqual({
      restored: [expect.objectContaining({ name: "docs", kind: "removed", by: "restore" })],
      gateway: null,
    });
    expect(without(ran.err)).toEqual([
      "Make the registry what it was at TIME? cortex-mcp registry undo takes that back. [y/N]",
    ]);
  });

  test.each([
    [["--yes"], "restore needs a time, such as --at 10m or --at 2026-11-30T14:05:00Z"],
    [
      ["--at", "yesterday"],
      `"yesterday" is no time; write it like 2026-11-30T14:05:00Z, '2026-11-30 14:05' or 10m, 2h, 3d (so long ago)`,
    ],
  ])("refuses %j, with examples", async (words, message) => {
    const io = await changed();
    expect(await io.run("registry", "restore", ...words)).toEqual({ code: 1, out: "", err: `cortex-mcp: ${message}` });
  });

  test("to a time that the history does not reach is refused", async () => {
    const io = await createTestIo();
    await io.run("add", "docs", "https://host/mcp");
    const file = path.join(io.home, "mcp/servers.json");
    for (const name of [".log", ".prev"]) await rm(file + name, { force: true });
    const ran = await io.run("registry", "restore", "--at", "1h", "--yes", "--json");
    expect(JSON.parse(ran.out)).toMatchObject({
      error: { code: "USER_INPUT", message: expect.stringContaining("journal") },
    });
  });
});

describe("the words after registry", () => {
  test.each([
    [["registry"], "registry needs a word after it; use one of verify, history, undo, restore"],
    [["registry", "hsitory"], 'registry knows no "hsitory"; did you mean "history"?'],
  ])("%j", async (argv, message) => {
    const io = await createTestIo();
    expect(await io.run(...argv)).toEqual({ code: 1, out: "", err: `cortex-mcp: ${message}` });
  });

  test("verify --json tells no entry, and fails for what is damaged", async () => {
    const io = await changed();
    const good = await io.run("registry", "verify", "--json");
    expect([good.code, JSON.parse(good.out)]).toEqual([
      0,
      {
        path: path.join(io.home, "mcp/servers.json"),
        servers: 1,
        files: [
          { name: "servers.json", state: "whole" },
          { name: "servers.json.prev", state: "whole" },
          { name: "servers.json.log", state: "whole" },
        ],
        findings: [],
        changes: 4,
        since: expect.stringMatching(TIME),
      },
    ]);
    await writeFile(path.join(io.home, "mcp/servers.json"), "{");
    expect((await io.run("registry", "verify", "--json")).code).toBe(1);
    const none = await createTestIo();
    expect((await none.run("registry", "verify")).out.split("\n").slice(1)).toEqual([
      "History: 0 changes.",
      "The registry is good.",
    ]);
  });
});
