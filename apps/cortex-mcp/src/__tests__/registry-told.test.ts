import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createTestIo, type TestIo } from "./test-io.js";

const NONE_RUNS = "No gateway is running; cortex-mcp serve starts one.";
/** A file of the time before the journal, as a person wrote it. */
const OLD_FORM = '{"servers":[{"name":"docs","endpoint":"https://docs.example/mcp"}],"note":"mine"}';
const TORN = '{"servers":[{"name":"docs","endpoint":"https://docs.ex';
const ADD_MORE = ["add", "more", "https://more.example/mcp"];
const MORE_ADDED = `Added "more" (http: https://more.example/mcp).\n${NONE_RUNS}`;
const UNTOUCHED =
  "Nothing was changed by this check; what can be put in order will be by the next command or gateway that uses the registry.";
const GOOD_FILES = [
  "FILE               STATE",
  "servers.json       whole",
  "servers.json.prev  as somebody else wrote it",
  "servers.json.log   whole",
];

const fileOf = (io: TestIo): string => path.join(io.home, "mcp/servers.json");

async function seeded(content: string): Promise<TestIo> {
  const io = await createTestIo();
  await mkdir(path.join(io.home, "mcp"), { recursive: true });
  await writeFile(fileOf(io), content);
  return io;
}

/** What the command says, in lines, with the home and what is different each time put plainly. */
async function told(io: TestIo, ...argv: readonly string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const { code, out, err } = await io.run(...argv);
  const lines = (text: string): string[] =>
    text === ""
      ? []
      : text
          .replaceAll(io.home, "HOME")
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
          .replaceAll(/corrupt-\w+/g, "corrupt-TIME")
          .split("\n");
  return { code, out: lines(out), err: lines(err) };
}

describe("R11, R12: what a person is told, word for word", () => {
  test("of a registry of the old form: nothing, it is as good as any", async () => {
    const io = await seeded(OLD_FORM);
    expect(await told(io, "registry", "verify")).toEqual({
      code: 0,
      out: [
        "HOME/mcp/servers.json: 1 server",
        "FILE          STATE",
        "servers.json  as somebody else wrote it",
        "History: 0 changes.",
        "The registry is good.",
      ],
      err: [],
    });
    expect((await told(io, "list")).err).toEqual([]);
    expect(await readFile(fileOf(io), "utf8")).toBe(OLD_FORM);
    expect(await io.run(...ADD_MORE)).toEqual({ code: 0, out: MORE_ADDED, err: "" });
    expect(await told(io, "registry", "verify")).toEqual({
      code: 0,
      out: [
        "HOME/mcp/servers.json: 2 servers",
        ...GOOD_FILES,
        "History: 1 change, back to TIME.",
        "The registry is good.",
      ],
      err: [],
    });
    expect(JSON.parse(await readFile(fileOf(io), "utf8"))).toMatchObject({ note: "mine" });
  });

  test("of one that was edited by hand: what was taken in, and how to take that back", async () => {
    const io = await seeded(OLD_FORM);
    await io.run(...ADD_MORE);
    const text = await readFile(fileOf(io), "utf8");
    await writeFile(fileOf(io), text.replace("docs.example", "other.example"));
    const edited =
      "warning: servers.json was changed by hand (docs): taken as it is. cortex-mcp registry undo takes that back";
    expect(await told(io, "registry", "verify")).toEqual({
      code: 0,
      out: [
        "HOME/mcp/servers.json: 2 servers",
        GOOD_FILES[0],
        "servers.json       as somebody else wrote it",
        ...GOOD_FILES.slice(2),
        "History: 1 change, back to TIME.",
        edited,
        UNTOUCHED,
      ],
      err: [],
    });
    const listed = await told(io, "list");
    expect([listed.code, listed.err]).toEqual([0, [`cortex-mcp: ${edited}`]]);
    expect(listed.out[1]).toContain("https://other.example/mcp");
    // Once is enough.
    expect((await told(io, "list")).err).toEqual([]);
    expect(await told(io, "registry", "undo", "--yes")).toEqual({
      code: 0,
      out: ['"docs" is as it was before: it was changed at TIME.', NONE_RUNS],
      err: [],
    });
    expect((await told(io, "list")).out[1]).toContain("https://docs.example/mcp");
  });

  test("of one that was edited by hand just before a command changed it: the same, and both are kept", async () => {
    const io = await seeded(OLD_FORM);
    await io.run("add", "first", "https://first.example/mcp");
    const text = await readFile(fileOf(io), "utf8");
    await writeFile(fileOf(io), text.replace("docs.example", "other.example"));
    expect(await told(io, ...ADD_MORE)).toEqual({
      code: 0,
      out: MORE_ADDED.split("\n"),
      err: [
        "cortex-mcp: warning: servers.json was changed by hand (docs): taken as it is. cortex-mcp registry undo takes that back",
      ],
    });
    expect(JSON.parse(await readFile(fileOf(io), "utf8"))).toMatchObject({
      servers: [{ endpoint: "https://other.example/mcp" }, { name: "first" }, { name: "more" }],
    });
  });

  test("of one that is damaged and could be rebuilt: from what, how much it is, and where the damaged file is kept", async () => {
    const io = await seeded(OLD_FORM);
    await io.run(...ADD_MORE);
    await writeFile(fileOf(io), TORN);
    const damaged =
      "servers.json is damaged: it is not valid JSON (line 1, column 55); its 2 servers were rebuilt from the journal";
    expect(await told(io, "registry", "verify")).toEqual({
      code: 1,
      out: [
        "HOME/mcp/servers.json: 2 servers",
        GOOD_FILES[0],
        "servers.json       damaged",
        ...GOOD_FILES.slice(2),
        "History: 1 change, back to TIME.",
        `error: ${damaged}`,
        UNTOUCHED,
      ],
      err: [],
    });
    const warnings = [
      `cortex-mcp: warning: ${damaged}`,
      "cortex-mcp: warning: servers.json: the damaged file is kept beside it as servers.json.corrupt-TIME",
    ];
    expect(await told(io, "add", "third", "https://third.example/mcp")).toEqual({
      code: 0,
      out: ['Added "third" (http: https://third.example/mcp).', NONE_RUNS],
      err: warnings,
    });
    expect(await told(io, "list")).toMatchObject({ code: 0, err: [] });
    await writeFile(fileOf(io), TORN);
    const listed = await told(io, "list");
    expect([listed.code, listed.out.length, listed.err[0]]).toEqual([
      0,
      5,
      warnings[0]?.replace("2 servers", "3 servers"),
    ]);
  });

  test("of one that is damaged and cannot be rebuilt: the same from every command, and nothing is put in its place", async () => {
    const io = await seeded(TORN);
    const damaged =
      "servers.json is damaged: it is not valid JSON (line 1, column 55); there is no journal to rebuild it from: mend it, or move it away to begin anew";
    expect(await told(io, "registry", "verify")).toEqual({
      code: 1,
      out: [
        "HOME/mcp/servers.json: 0 servers",
        "FILE          STATE",
        "servers.json  damaged",
        "History: 0 changes.",
        `error: ${damaged}`,
        UNTOUCHED,
      ],
      err: [],
    });
    const kept = "the damaged file is kept beside it as servers.json.corrupt-TIME";
    const refusal = `cortex-mcp: in HOME/mcp: ${damaged}; ${kept}`;
    for (const argv of [["list"], ADD_MORE, ["remove", "docs"], ["registry", "restore", "--at", "1m", "--yes"]])
      expect(await told(io, ...argv)).toEqual({ code: 1, out: [], err: [refusal] });
    expect(await readFile(fileOf(io), "utf8")).toBe(TORN);
  });

  test("of one whose file is gone: that it was rebuilt, and how servers are removed", async () => {
    const io = await seeded(OLD_FORM);
    await io.run(...ADD_MORE);
    await rm(fileOf(io));
    const listed = await told(io, "list");
    expect([listed.code, listed.err]).toEqual([
      0,
      [
        "cortex-mcp: warning: servers.json is gone: its 2 servers were rebuilt from the journal. To remove servers use cortex-mcp remove",
      ],
    ]);
    expect(JSON.parse(await readFile(fileOf(io), "utf8"))).toHaveProperty("servers.length", 2);
  });
});
