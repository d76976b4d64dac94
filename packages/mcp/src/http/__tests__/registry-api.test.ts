import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { failOnLeaks, startFront, startGateway } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { RegistryOperations } from "../../connectors/registry-operations.js";

failOnLeaks();

const ROUTE = "/api/v1/registry";
const docs = { name: "docs", endpoint: "https://docs.example/mcp", headers: { Authorization: "Bearer s3cret" } };
const files = { name: "files", command: "true" };

/** A gateway that owns a registry in a temporary folder. */
async function owning() {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  const file = path.join(folder, "servers.json");
  const cache = new RegistryMemoryCache({ registryPath: file });
  onTestFinished(async () => {
    await cache.close();
    await rm(folder, { recursive: true });
  });
  const clock = new ManualTime();
  const running = await startGateway([]);
  const registry = { operations: new RegistryOperations(cache, file), clock };
  const { port = 0 } = await startFront(running, { controlApi: true, registry });
  const ask = async (method: string, route: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, text } = await send({ port, method, path: ROUTE + route, ...sent });
    return { status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const stored = async (): Promise<unknown> =>
    (JSON.parse(await readFile(file, "utf8")) as { servers: unknown }).servers;
  return { ...running, file, cache, clock, ask, stored };
}

describe("the control API of the registry (R14)", () => {
  test("what is put in is in servers.json when it answers, and what is removed is not", async () => {
    const { ask, stored } = await owning();
    expect(await ask("POST", "/upsert", { server: docs })).toEqual({ status: 200, body: { outcome: "added" } });
    expect(await stored()).toEqual([docs]);
    const changed = { ...docs, endpoint: "https://new.example/mcp" };
    expect((await ask("POST", "/upsert", { server: changed })).body).toEqual({ outcome: "replaced" });
    expect(await stored()).toEqual([changed]);
    expect((await ask("POST", "/remove", { name: "docs" })).body).toEqual({ removed: true });
    expect((await ask("POST", "/remove", { name: "docs" })).body).toEqual({ removed: false });
    expect(await stored()).toEqual([]);
  });

  test("a new one never takes the place of what somebody else added meanwhile", async () => {
    const { ask, stored, file } = await owning();
    await ask("POST", "/upsert", { server: files });
    await writeFile(file, JSON.stringify({ servers: [files, docs] }));
    const other = { ...docs, endpoint: "https://other.example/mcp" };
    expect((await ask("POST", "/upsert", { server: other, replace: false })).body).toEqual({ outcome: "taken" });
    expect(await stored()).toContainEqual(docs);
  });

  test("tells the changes, takes the last one back if it is the one that is meant, and goes back in time", async () => {
    const { ask, stored } = await owning();
    await ask("POST", "/upsert", { server: files });
    await ask("POST", "/upsert", { server: docs });
    const told = await ask("GET", "/history");
    expect(told).toMatchObject({
      status: 200,
      body: {
        changes: [
          { name: "files", kind: "added" },
          { name: "docs", kind: "added", by: "command" },
        ],
      },
    });
    expect(JSON.stringify(told)).not.toContain("s3cret");
    const [first, second] = (told.body as { changes: { group: number; atMs: number }[] }).changes;
    expect(await ask("POST", "/undo", { group: first?.group })).toEqual({
      status: 400,
      body: {
        code: "USER_INPUT",
        error: { code: expect.any(Number), message: expect.stringMatching(/^the registry was changed meanwhile/) },
      },
    });
    expect((await ask("POST", "/undo", { group: second?.group })).body).toMatchObject({ changes: [{ name: "docs" }] });
    expect(await stored()).toEqual([files]);
    expect((await ask("POST", "/restore", { atMs: (first?.atMs ?? 0) - 1 })).body).toMatchObject({
      changes: [{ name: "files", kind: "removed", by: "restore" }],
    });
    expect(await stored()).toEqual([]);
    expect((await ask("POST", "/undo")).body).toMatchObject({ changes: [{ name: "files", by: "restore" }] });
    expect(await stored()).toEqual([files]);
  });

  test("tells what is in it, with its secrets, and what is wrong", async () => {
    const { ask, file } = await owning();
    await writeFile(file, JSON.stringify({ servers: [docs, { name: "bad name" }] }));
    expect(await ask("GET", "")).toEqual({
      status: 200,
      body: { servers: [docs], problems: [expect.stringContaining('"bad name"')] },
    });
  });

  test("a change that nobody waits for any more is not made", async () => {
    const { ask, clock } = await owning();
    await clock.advance(5_000);
    const late = clock.now() - 1;
    for (const [route, body] of [
      ["/upsert", { server: docs }],
      ["/remove", { name: "docs" }],
      ["/undo", {}],
      ["/restore", { atMs: 0 }],
    ] as const) {
      expect(await ask("POST", route, { ...body, untilMs: late })).toMatchObject({
        status: 400,
        body: { error: { message: "Nobody waits for this change any more" } },
      });
    }
    expect((await ask("GET", "")).body).toMatchObject({ servers: [] });
    expect((await ask("POST", "/upsert", { server: docs, untilMs: clock.now() })).status).toBe(200);
  });

  test.each([
    ["/upsert", {}, "not a usable server: "],
    ["/upsert", { server: { name: "x" } }, "not a usable server: endpoint: "],
    ["/upsert", { server: docs, replace: 1 }, "replace must be true or false"],
    ["/remove", {}, "name must be the name of a server"],
    ["/undo", { group: "x" }, "group must be that of a change"],
    ["/restore", {}, "atMs must be a time"],
    ["/remove", { name: "docs", untilMs: "soon" }, "untilMs must be a time"],
  ])("refuses %s %j, and repeats no value", async (route, body, message) => {
    const { ask } = await owning();
    const refused = await ask("POST", route, body);
    expect(refused).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } });
    expect(JSON.stringify(refused)).not.toContain("s3cret");
  });

  test("a registry that cannot be used is an error that a person can mend, and the change is not made", async () => {
    const { ask, file } = await owning();
    await mkdir(file);
    expect(await ask("POST", "/upsert", { server: docs })).toMatchObject({
      status: 400,
      body: { code: "REGISTRY_IO", error: { message: expect.stringContaining("servers.json") } },
    });
  });

  test("a change that is safe and could not be written to servers.json yet is made, and says so", async () => {
    const { ask, cache } = await owning();
    await cache.init();
    vi.spyOn(cache, "durable").mockResolvedValue();
    vi.spyOn(cache, "flush").mockRejectedValueOnce(new Error("the disk is full"));
    expect((await ask("POST", "/upsert", { server: docs })).body).toEqual({
      outcome: "added",
      unwritten: "the disk is full",
    });
  });

  test.each([
    ["POST", "", "GET, HEAD"],
    ["POST", "/history", "GET, HEAD"],
    ["GET", "/upsert", "POST"],
    ["GET", "/remove", "POST"],
    ["GET", "/undo", "POST"],
    ["GET", "/restore", "POST"],
  ])("%s %s is 405", async (method, route) => {
    const { ask } = await owning();
    expect((await ask(method, route)).status).toBe(405);
  });

  test("decision 0006: is on no front but the control socket's, and on none of a gateway without a registry", async () => {
    const running = await startGateway([]);
    const bare = await startFront(running, { controlApi: true });
    const open = await startFront(running);
    for (const { port = 0 } of [bare, open]) {
      for (const route of ["", "/history", "/upsert", "/remove", "/undo", "/restore"])
        expect((await send({ port, method: "POST", path: ROUTE + route, body: "{}" })).status).toBe(404);
    }
  });
});
