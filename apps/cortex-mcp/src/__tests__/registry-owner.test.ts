import { writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { json } from "node:stream/consumers";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { run } from "../run.js";
import { servingHomeOf } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

/** What a gateway was asked to do. */
interface Asked {
  readonly what: string;
  readonly body: unknown;
}

/** A gateway on the control socket of `io`'s home that answers what the test says; without an answer it is silent. */
async function gatewayAnswering(
  io: TestIo,
  answer: (asked: Asked) => { status?: number; body: object } | undefined,
): Promise<Asked[]> {
  const asked: Asked[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = {
      what: `${request.method} ${request.url}`,
      body: request.method === "POST" ? await json(request) : undefined,
    };
    asked.push(one);
    const given = answer(one);
    if (given !== undefined) response.writeHead(given.status ?? 200).end(JSON.stringify(given.body));
  };
  await mkdir(path.join(io.home, "mcp"), { recursive: true });
  const server = createServer((request, response) => void listener(request, response)).listen(
    path.join(io.home, "mcp/gateway.sock"),
  );
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  return asked;
}

async function stored(io: TestIo): Promise<unknown[]> {
  const text = await readFile(path.join(io.home, "mcp/servers.json"), "utf8").catch(() => '{"servers":[]}');
  return (JSON.parse(text) as { servers: unknown[] }).servers;
}

const docs = { name: "docs", transport: "http", endpoint: "https://host/mcp" };
const ADD = ["add", "docs", "https://host/mcp"];

describe("R12, R14: the registry belongs to the gateway that runs", () => {
  test("what a command changes goes through it, with a time until when that is waited for", async () => {
    const io = await createTestIo();
    const asked = await gatewayAnswering(io, ({ what }) =>
      what.startsWith("GET")
        ? { body: { servers: [docs], problems: ["something is odd"] } }
        : { body: what.endsWith("upsert") ? { outcome: "replaced" } : { removed: true } },
    );
    const added = await io.run("add", "--force", "docs", "https://host/mcp");
    expect(added.out).toContain('Replaced "docs"');
    expect(added.err).toBe("cortex-mcp: warning: servers.json: something is odd");
    expect((await io.run("remove", "docs")).out).toContain('Removed "docs"');
    const changes = asked.filter(({ what }) => /upsert|remove/.test(what));
    expect(changes).toEqual([
      { what: "POST /api/v1/registry/upsert", body: { server: docs, replace: true, untilMs: expect.any(Number) } },
      { what: "POST /api/v1/registry/remove", body: { name: "docs", untilMs: expect.any(Number) } },
    ]);
    expect(await stored(io)).toEqual([]);
  });

  test("what it refuses is told as by the command itself, and not done in another way", async () => {
    const io = await createTestIo();
    await gatewayAnswering(io, ({ what }) =>
      what.startsWith("GET")
        ? { body: { servers: [], problems: [] } }
        : { status: 400, body: { error: { code: -32_603, message: "no space left" }, code: "REGISTRY_IO" } },
    );
    expect(await io.run(...ADD)).toEqual({ code: 1, out: "", err: "cortex-mcp: no space left" });
    expect(JSON.parse((await io.run(...ADD, "--json")).out)).toEqual({
      error: { code: "REGISTRY_IO", message: "no space left" },
    });
    expect(await stored(io)).toEqual([]);
  });

  test("a name that somebody else took meanwhile is not taken from them", async () => {
    const io = await createTestIo();
    await gatewayAnswering(io, ({ what }) => ({
      body: what.startsWith("GET") ? { servers: [], problems: [] } : { outcome: "taken" },
    }));
    expect(await io.run(...ADD)).toEqual({
      code: 1,
      out: "",
      err: 'cortex-mcp: there is a server "docs" already; add --force to replace it, or choose another name',
    });
  });

  test.each([
    ["made the change is believed", docs, { code: 0, err: "" }],
    [
      "left the name to somebody else is not",
      { ...docs, endpoint: "https://other/mcp" },
      {
        code: 1,
        err: 'cortex-mcp: there is a server "docs" already; add --force to replace it, or choose another name',
      },
    ],
  ])("one that went before it could answer, and %s", async (_what, there, ended) => {
    const io = await createTestIo();
    await gatewayAnswering(io, ({ what }) => {
      if (what.startsWith("GET")) return { body: { servers: [], problems: [] } };
      writeFileSync(path.join(io.home, "mcp/servers.json"), JSON.stringify({ servers: [there] }));
      return { body: {} };
    });
    expect(await io.run(...ADD)).toMatchObject(ended);
    expect(await stored(io)).toEqual([there]);
  });

  test("what it could not write to servers.json yet is done, and said", async () => {
    const io = await createTestIo();
    await gatewayAnswering(io, ({ what }) => ({
      body: what.startsWith("GET")
        ? { servers: [], problems: [] }
        : { outcome: "added", unwritten: "the disk is full" },
    }));
    const added = await io.run(...ADD);
    expect([added.code, added.err]).toEqual([
      0,
      "cortex-mcp: warning: what was changed is kept, and not in servers.json yet: the disk is full",
    ]);
  });

  test("one of a version that does not own its registry is left alone: the change is made directly, without a word", async () => {
    const io = await createTestIo();
    const asked = await gatewayAnswering(io, () => ({ status: 404, body: {} }));
    expect(await io.run(...ADD)).toMatchObject({ code: 0, err: "" });
    expect(await stored(io)).toEqual([docs]);
    expect(asked.filter(({ what }) => what.includes("registry"))).toHaveLength(1);
  });

  test("one that does not answer within 2 s is done without, which is said in one line", async () => {
    const io = await createTestIo();
    const time = new ManualTime();
    const asked = await gatewayAnswering(io, () => undefined);
    const ended = run(ADD, { ...io, system: { ...io.system, timers: time } });
    await vi.waitFor(() => expect(asked).toHaveLength(1), 20_000);
    expect(time.delays).toEqual([2_000]);
    await time.advance(2_000);
    // Whether it has picked the change up is asked once more.
    await vi.waitFor(() => expect(asked).toHaveLength(2), 20_000);
    expect(await stored(io)).toEqual([docs]);
    await time.advance(3_000);
    expect(await ended).toBe(0);
    expect(io.errLines).toEqual([
      "cortex-mcp: warning: the running gateway did not answer within 2 s; end it and start it anew; the registry was changed without it",
    ]);
    expect(io.outLines.at(-1)).toContain("could not be told: ");
  });

  test("two commands at once that add one name: one adds it, the other is refused, and a real gateway serves it", async () => {
    const io = await createTestIo();
    const serving = await servingHomeOf(io);
    const other = await createTestIo({ env: { CORTEX_HOME: io.home } });
    const both = await Promise.all([
      io.run("add", "docs", "http://127.0.0.1:9/mcp"),
      other.run("add", "docs", "http://127.0.0.1:9/other"),
    ]);
    expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 1]);
    const won = both.find(({ code }) => code === 0);
    expect(won?.out).toContain(`The running gateway at ${serving.url} has picked it up`);
    expect(await stored(io)).toEqual([expect.objectContaining({ name: "docs" })]);
    expect(serving.io.errLines.join("\n")).not.toContain('"level":"error"');
  });
});
