import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemTimers, type ConnectorSpec } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ConnectorSource } from "../connector-source.js";
import { registrySource } from "../registry-source.js";

/** A started source over a real registry in a temporary folder, closed with the test. */
async function setUp(content?: string) {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  const file = path.join(folder, "servers.json");
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  if (content !== undefined) await write(content);
  const logger = new RecordingLogger();
  const reads: boolean[] = [];
  const onRead = (ok: boolean): void => void reads.push(ok);
  const cache = new RegistryMemoryCache({ registryPath: file, logger });
  const source: ConnectorSource = registrySource({ path: file, cache, logger, timers: systemTimers, onRead });
  const told: (readonly ConnectorSpec[])[] = [];
  const problems: (string | undefined)[] = [];
  onTestFinished(async () => {
    await source.close();
    await cache.close();
    await rm(folder, { recursive: true });
  });
  await source.start((specs, state) => {
    told.push(specs);
    problems.push(state?.problem);
  });
  const problem = (): unknown => problems.at(-1);
  const keys = (): unknown => told.at(-1)?.map(({ key }) => key);
  return { file, write, logger, cache, source, told, keys, problem, reads };
}

const serversOf = (...servers: object[]): string => JSON.stringify({ servers });
const server = (name: string, more: object = {}): object => ({ name, command: "true", ...more });

describe("the registry as a source (R12, R14)", () => {
  test("names the servers of the file, disabled ones included", async () => {
    const { told } = await setUp(
      serversOf(server("a"), { name: "b", endpoint: "http://127.0.0.1:9/mcp", disabled: true }),
    );
    expect(told.at(-1)).toMatchObject([
      { key: "a", source: "registry", disabled: false, transport: { kind: "stdio", command: "true" } },
      { key: "b", disabled: true, transport: { kind: "http", url: "http://127.0.0.1:9/mcp" } },
    ]);
  });

  test("a file that does not exist yet names nothing, and is noticed when it comes", async () => {
    const { told, keys, write } = await setUp();
    expect(told).toEqual([[]]);
    await write(serversOf(server("a")));
    await vi.waitFor(() => expect(keys()).toEqual(["a"]), 10_000);
  });

  test("R15: says of each reading whether the file was a registry", async () => {
    const { write, source, reads } = await setUp(serversOf(server("a")));
    expect(reads).toEqual([true]);
    await write("{");
    await source.reload();
    expect(reads.at(-1)).toBe(false);
    await write(serversOf(server("b")));
    await source.reload();
    expect(reads.at(-1)).toBe(true);
  });

  test("tells of a change to the file", async () => {
    const { keys, write } = await setUp(serversOf(server("a")));
    await write(serversOf(server("a"), server("b")));
    await vi.waitFor(() => expect(keys()).toEqual(["a", "b"]), 10_000);
  });

  test("a file that is torn keeps the servers it named last, and says so", async () => {
    const { keys, write, source, logger, file } = await setUp(serversOf(server("a")));
    await write('{"servers": [');
    await source.reload();
    expect(keys()).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: expect.objectContaining({ registryPath: file, reason: expect.any(String) }),
      message: "Failed to load registry",
    });
    await write(serversOf(server("b")));
    await source.reload();
    expect(keys()).toEqual(["b"]);
  });

  test("a file that was never good names nothing and says why, until it is mended", async () => {
    const { keys, problem, write, source } = await setUp('{"servers": [');
    expect(keys()).toEqual([]);
    expect(problem()).toMatch(/^servers\.json is damaged: it is not valid JSON/);
    await write(serversOf(server("b")));
    await source.reload();
    expect([keys(), problem()]).toEqual([["b"], undefined]);
  });

  test("a file that cannot be read keeps them too", async () => {
    const { keys, source, logger, file } = await setUp(serversOf(server("a")));
    await rm(file);
    await mkdir(file);
    await source.reload();
    expect(keys()).toEqual(["a"]);
    expect(logger.messages("error")).toContain("Failed to load registry");
  });

  test("a bad entry is set aside with one warning, the others are named", async () => {
    const { keys, problem, source, logger } = await setUp(serversOf(server("a"), { name: "no transport" }));
    await source.reload();
    expect([keys(), problem()]).toEqual([["a"], undefined]);
    expect(logger.messages("warn").filter((message) => message === "Registry entry set aside")).toHaveLength(1);
  });

  test("a file in another tool's form is told of, once", async () => {
    const { keys, logger, source } = await setUp(JSON.stringify({ mcpServers: { a: { command: "true" } } }));
    await source.reload();
    expect(keys()).toEqual([]);
    const told = logger.lines.filter(({ message }) => message === "Registry serves nothing");
    expect(told).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ reason: expect.any(String) }) }),
    ]);
  });

  test("what this process changes is told once for all changes that come together, without looking at a file", async () => {
    const { cache, told, keys } = await setUp(serversOf(server("a")));
    const { length } = told;
    cache.upsert({ name: "b", command: "true" });
    cache.upsert({ name: "c", command: "true" });
    cache.remove("a");
    expect(told).toHaveLength(length);
    await Promise.resolve();
    expect(keys()).toEqual(["b", "c"]);
    expect(told).toHaveLength(length + 1);
  });

  test("what another process changes is noticed though only the journal has it", async () => {
    const { file, keys } = await setUp(serversOf(server("a")));
    const other = new RegistryMemoryCache({ registryPath: file, flushIntervalMs: Infinity });
    await other.init();
    other.upsert({ name: "b", command: "true" });
    await vi.waitFor(() => expect(keys()).toEqual(["a", "b"]), 10_000);
    expect(await readFile(file, "utf8")).toBe(serversOf(server("a")));
    await other.close();
  });

  test("a file that is deleted takes no server with it, and is put back", async () => {
    const { file, keys, cache, source, told } = await setUp(serversOf(server("a")));
    await rm(file);
    await source.reload();
    await cache.flush();
    await source.reload();
    expect(keys()).toEqual(["a"]);
    expect(told.every((specs) => specs.length === 1)).toBe(true);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ servers: [server("a")] });
  });

  test("a registry that was damaged and could be rebuilt is served, and what is wrong is told without the folder it is in", async () => {
    const { file, write, cache, keys, problem, source } = await setUp();
    cache.upsert({ name: "a", command: "true" });
    await cache.flush();
    await write("{");
    await source.reload();
    expect(keys()).toEqual(["a"]);
    expect(problem()).toMatch(/^servers\.json is damaged: /);
    expect(problem()).not.toContain(path.dirname(file));
    // Somebody may be in the middle of editing it: it is written anew with the next change.
    cache.upsert({ name: "b", command: "true" });
    await cache.flush();
    await source.reload();
    expect([keys(), problem()]).toEqual([["a", "b"], undefined]);
  });

  test("closed, it tells nothing more, and closing twice is fine", async () => {
    const { told, source, write } = await setUp(serversOf(server("a")));
    await source.close();
    await source.close();
    const { length } = told;
    await write(serversOf(server("b")));
    await source.reload();
    expect(told).toHaveLength(length);
  });

  test("closing while it reads tells nothing of what it read", async () => {
    const { told, source } = await setUp(serversOf(server("a")));
    const { length } = told;
    const reloading = source.reload();
    await source.close();
    await reloading;
    expect(told).toHaveLength(length);
  });
});
