import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { encodeFrame } from "../journal/frame.js";
import { verifyRegistry } from "../verify-registry.js";
import { useCacheFixture } from "./cache-fixture.js";
import { ID, adding, frames, sealedFile, stdio } from "./recovery-fixture.js";

const registry = useCacheFixture();

test.each([".log", ".log.1"])(
  "a journal that a newer program wrote is refused, and left as it is: %s (R11)",
  async (end) => {
    const file = registry.file + end;
    await mkdir(path.dirname(file));
    await writeFile(registry.file, sealedFile({ servers: [stdio("a")] }));
    const bytes = Buffer.concat([encodeFrame({ v: 2, id: ID, e: 1, b: 0, t: 1 }), ...frames([adding("b")])]);
    await writeFile(file, bytes);
    const message = `${file} has version 2 of its form: use a newer cortex-mcp`;
    await expect(registry.opened()).rejects.toMatchObject({ code: "REGISTRY_IO", message });
    expect(() => verifyRegistry(registry.file)).toThrow(message);
    expect(await readFile(file)).toEqual(bytes);
    expect((await registry.files()).filter((name) => name.includes("torn"))).toEqual([]);
  },
);
