import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { keepCorruptCopy } from "../corrupt-copy.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();
const clock = new ManualTime(Date.UTC(2026, 6, 28, 10, 11, 12, 13));

describe("a corrupt file is kept under a dated name (R11)", () => {
  test("with the bytes it has, and stays where it is", async () => {
    const bytes = Buffer.from([0, 0xff, 1]);
    await writeFile(folder.at("servers.json"), bytes);
    const kept = await keepCorruptCopy(folder.at("servers.json"), bytes, clock);
    expect(kept).toBe(folder.at("servers.json.corrupt-20260728T101112013Z"));
    expect(await readFile(kept)).toEqual(bytes);
    expect(await readFile(folder.at("servers.json"))).toEqual(bytes);
  });

  test("once, however often it is met; another content at the same instant gets its own name", async () => {
    const keep = (text: string): Promise<string> =>
      keepCorruptCopy(folder.at("servers.json"), Buffer.from(text), clock);
    const first = await keep("a");
    expect(await keep("a")).toBe(first);
    expect(await keep("b")).toBe(`${first}-2`);
    expect(await keep("c")).toBe(`${first}-3`);
    expect(await keep("b")).toBe(`${first}-2`);
    expect(await readdir(folder.at())).toHaveLength(3);
  });

  test("what cannot be kept is an error", async () => {
    await mkdir(folder.at("servers.json.corrupt-x"));
    await expect(keepCorruptCopy(folder.at("servers.json"), Buffer.from("a"), clock)).rejects.toMatchObject({
      code: "REGISTRY_IO",
    });
  });
});
