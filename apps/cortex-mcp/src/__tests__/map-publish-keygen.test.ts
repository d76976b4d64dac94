import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { jsonFile } from "./map-publish-fixture.js";
import { createTestIo, type TestIo } from "./test-io.js";

interface Keys {
  readonly keys: readonly Readonly<Record<string, string>>[];
}

async function keysIn(io: TestIo, name: string): Promise<Keys["keys"]> {
  const { keys } = JSON.parse(await readFile(path.join(io.cwd, name), "utf8")) as Keys;
  return keys;
}

const modeOf = async (io: TestIo, name: string): Promise<number> => (await stat(path.join(io.cwd, name))).mode & 0o777;

describe("R3b: map keygen", () => {
  test("writes a private Ed25519 key set for its owner only, and prints the public one with what to do next", async () => {
    const io = await createTestIo();
    const { code, out, err } = await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json");
    expect([code, err]).toEqual([0, ""]);
    const [key] = await keysIn(io, "keys.json");
    expect(await modeOf(io, "keys.json")).toBe(0o600);
    const [shown] = await keysIn(io, "public.json");
    expect(await modeOf(io, "public.json")).toBe(0o644);
    const { d, ...publicHalf } = key ?? {};
    expect(shown).toEqual(publicHalf);
    expect(out).toContain(String(key?.["kid"]));
    expect(out).toContain(`"x": "${key?.["x"]}"`);
    expect(out).toContain(`map serve MANIFEST --keys ${path.join(io.cwd, "keys.json")}`);
    expect(out).toContain("CONNECTORS_KEYS_FILE");
    expect(out).not.toContain(String(d));
    expect((await readdir(io.cwd)).toSorted()).toEqual(["keys.json", "public.json"]);
  });

  test("--json names the file and the key, and holds the public set only", async () => {
    const io = await createTestIo();
    const { out } = await io.run("map", "keygen", "--out", "keys.json", "--kid", "2026-q1", "--json");
    const [key] = await keysIn(io, "keys.json");
    const { d: _d, ...publicHalf } = key ?? {};
    expect(JSON.parse(out)).toEqual({
      file: path.join(io.cwd, "keys.json"),
      kid: "2026-q1",
      type: "ed25519",
      publicFile: null,
      publicJwks: { keys: [publicHalf] },
    });
  });

  test("an HMAC key is told to be symmetric and is not printed", async () => {
    const io = await createTestIo();
    const { code, out } = await io.run("map", "keygen", "--type", "hmac", "--out", "keys.json");
    const [key] = await keysIn(io, "keys.json");
    expect(code).toBe(0);
    expect(key).toMatchObject({ kty: "oct", alg: "HS256" });
    expect(out).toContain("whoever can verify a map with it can sign one");
    expect(out).not.toContain(String(key?.["k"]));
    expect(await modeOf(io, "keys.json")).toBe(0o600);
  });

  test("--add puts a key after those that are there, keeps the old ones and writes the public set anew", async () => {
    const io = await createTestIo();
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "old");
    const before = await keysIn(io, "keys.json");
    const words = ["map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "new", "--add"];
    const { code, out, err } = await io.run(...words);
    expect([code, err]).toEqual([0, ""]);
    const keys = await keysIn(io, "keys.json");
    expect(keys).toMatchObject([before[0], { kid: "new" }]);
    expect(await keysIn(io, "public.json")).toMatchObject([{ kid: "old" }, { kid: "new" }]);
    expect(await modeOf(io, "keys.json")).toBe(0o600);
    expect(out).toContain("--kid new");
    expect(out).not.toContain(String(keys[1]?.["d"]));
    expect((await readdir(io.cwd)).toSorted()).toEqual(["keys.json", "public.json"]);
  });

  test("from HMAC to Ed25519: the gateways are told to keep their HMAC keys", async () => {
    const io = await createTestIo();
    await io.run("map", "keygen", "--out", "keys.json", "--type", "hmac", "--kid", "old");
    const { out } = await io.run("map", "keygen", "--out", "keys.json", "--kid", "new", "--add");
    expect(out).toContain("beside the HMAC keys that it has");
    expect(out).not.toContain('"old"');
    const again = await io.run("map", "keygen", "--out", "keys.json", "--type", "hmac", "--add");
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("must not see those; use another file") });
  });

  test("another HMAC key may be added to HMAC keys", async () => {
    const io = await createTestIo();
    await io.run("map", "keygen", "--out", "keys.json", "--type", "hmac", "--kid", "old");
    const { code, out } = await io.run(
      "map",
      "keygen",
      "--out",
      "keys.json",
      "--type",
      "hmac",
      "--kid",
      "new",
      "--add",
    );
    expect([code, out]).toEqual([0, expect.stringContaining("Added the HMAC key new")]);
    expect(await keysIn(io, "keys.json")).toMatchObject([{ kid: "old" }, { kid: "new" }]);
  });

  test("a set that others could read is added to with a warning, and is private from then on; a link stays one", async () => {
    const io = await createTestIo();
    await io.run("map", "keygen", "--out", "keys.json", "--kid", "old");
    await chmod(path.join(io.cwd, "keys.json"), 0o644);
    await symlink("keys.json", path.join(io.cwd, "link.json"));
    const { code, err } = await io.run("map", "keygen", "--out", "link.json", "--add");
    expect([code, err]).toEqual([0, expect.stringContaining("warning: others could read")]);
    expect(await modeOf(io, "keys.json")).toBe(0o600);
    expect(await keysIn(io, "keys.json")).toHaveLength(2);
  });
});

describe("R3b: map keygen loses no key", () => {
  test.each<[string, readonly string[], string]>([
    ["the file is there already", ["--out", "keys.json"], "keys.json exists already; add --add"],
    [
      "the public file is there already",
      ["--out", "n.json", "--public", "public.json"],
      "public.json exists already; remove it",
    ],
    ["the public file is the private one", ["--out", "n.json", "--public", "n.json"], "must be two files"],
    ["the public file holds private keys", ["--out", "n.json", "--public", "keys.json"], "holds private keys"],
    ["the public file is something else", ["--out", "n.json", "--public", "text"], "cannot use the key set"],
    ["HMAC has no public half", ["--out", "n.json", "--public", "p.json", "--type", "hmac"], "has no public half"],
    ["the name is taken", ["--out", "keys.json", "--add", "--kid", "old"], "has a key of that name already"],
    ["there is nothing to add to", ["--out", "n.json", "--add"], "there is no such file"],
    ["what is there is no key set", ["--out", "text", "--add"], "it is not JSON"],
    [
      "the name is odd",
      ["--out", "n.json", "--kid", "a b"],
      '--kid must be 1 to 64 letters, digits, ".", "_" or "-", not "a b"',
    ],
    ["the kind is unknown", ["--out", "n.json", "--type", "rsa"], "Allowed choices are ed25519, hmac"],
    ["no file is named", [], "required option '--out <file>' not specified"],
    ["the folder is not there", ["--out", "no/where.json"], "no/where.json: there is no folder "],
    ["the folder is a file", ["--out", "text/where.json"], "text/where.json: a part of its path is a file"],
    [
      "the public file's folder is not there: then no private key is written either",
      ["--out", "n.json", "--public", "no/where.json"],
      "no/where.json: there is no folder ",
    ],
  ])("%s", async (_name, words, message) => {
    const io = await createTestIo();
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "old");
    await writeFile(path.join(io.cwd, "text"), "sesame");
    const before = await Promise.all(["keys.json", "public.json"].map((name) => keysIn(io, name)));
    const { code, out, err } = await io.run("map", "keygen", ...words);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
    expect(err).not.toContain("sesame");
    expect(err.split("\n")).toHaveLength(1);
    expect(await Promise.all(["keys.json", "public.json"].map((name) => keysIn(io, name)))).toEqual(before);
    expect((await readdir(io.cwd)).toSorted()).toEqual(["keys.json", "public.json", "text"]);
  });

  test("map without a word, or with one that it does not know, says which there are", async () => {
    const io = await createTestIo();
    expect(await io.run("map")).toMatchObject({ code: 1, err: expect.stringContaining("map needs a word after it") });
    expect((await io.run("map", "sing")).err).toContain('did you mean "sign"?');
    await jsonFile(io, "x", {});
    expect((await io.run("map", "--help")).out).toContain("keygen");
  });
});
