import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { jsonFile, manifestOf, publishing, SECRET } from "./map-publish-fixture.js";
import { createTestIo } from "./test-io.js";

const API_KEY = "canary-api-key";
/** Stands for a port that something else listens on. */
const TAKEN = "taken";
const NOTHING: Record<string, string> = {};

describe("R3b: map serve", () => {
  test.each(["ed25519", "hmac"])(
    "R2: keygen, serve, verify with %s; a rotation with --add, without a restart",
    async (type) => {
      const io = await createTestIo();
      await jsonFile(io, "m.json", manifestOf("docs"));
      const isPair = type === "ed25519";
      const gatewayKeys = isPair ? "public.json" : "keys.json";
      const keygen = [
        "map",
        "keygen",
        "--type",
        type,
        "--out",
        "keys.json",
        ...(isPair ? ["--public", "public.json"] : []),
      ];
      await io.run(...keygen, "--kid", "old");
      const { url, stop } = await publishing(io, "m.json", "--keys", "keys.json");
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/connectors\/service-map$/);
      const gateway = await createTestIo();
      const verify = () => gateway.run("map", "verify", url, "--keys", path.join(io.cwd, gatewayKeys));
      expect(await verify()).toMatchObject({ code: 0, out: expect.stringContaining("key: old"), err: "" });

      await io.run(...keygen, "--kid", "new", "--add");
      await jsonFile(io, "m.json", manifestOf("docs", "wiki"));
      await vi.waitFor(async () => expect((await verify()).out).toContain("2 connectors: docs, wiki"), 10_000);
      expect((await verify()).out).toContain("key: old");

      // The gateways have both keys by now: the new one may sign. Later the old one goes.
      const { keys } = JSON.parse(await readFile(path.join(io.cwd, "keys.json"), "utf8")) as { keys: unknown[] };
      await jsonFile(io, "keys.json", { keys: keys.toReversed() });
      await vi.waitFor(async () => expect((await verify()).out).toContain("key: new"), 10_000);
      await jsonFile(io, "keys.json", { keys: keys.slice(1) });
      expect((await verify()).out).toContain("key: new");
      expect(await stop()).toBe(0);
      expect(await verify()).toMatchObject({ code: 1, err: expect.stringContaining("(rule: network)") });
    },
  );

  test("the named key signs, beside the first", async () => {
    const io = await createTestIo();
    await jsonFile(io, "m.json", manifestOf("docs"));
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "old");
    await io.run("map", "keygen", "--out", "keys.json", "--public", "public.json", "--kid", "new", "--add");
    const { url } = await publishing(io, "m.json", "--keys", "keys.json", "--kid", "new");
    const { out } = await (await createTestIo()).run("map", "verify", url, "--keys", path.join(io.cwd, "public.json"));
    expect(out).toContain("key: new");
  });

  test("a bad manifest keeps the last good map, and the log says where it is wrong and no secret", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET, CONNECTORS_API_KEY: API_KEY } });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const { url, stop } = await publishing(io, "m.json");
    await jsonFile(io, "m.json", { ...manifestOf("docs"), brand: "" });
    await vi.waitFor(() => expect(io.errLines.join("\n")).toContain("brand: must not be empty"), 10_000);
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${API_KEY}` } });
    expect(await answer.json()).toMatchObject({ brand: "Example", connectors: [{ id: "docs" }] });
    expect(await stop()).toBe(0);
    const said = [...io.outLines, ...io.errLines].join("\n");
    for (const secret of [SECRET, API_KEY]) expect(said).not.toContain(secret);
    for (const line of io.errLines) expect(JSON.parse(line)).toMatchObject({ brand: "brAInwav" });
  });

  test("says in words where it publishes, and that it is done", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET }, terminal: true });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const ended = io.run("map", "serve", "m.json", "--port", "0");
    await vi.waitFor(() => expect(io.outLines).toHaveLength(1), 10_000);
    expect(io.outLines[0]).toMatch(/^cortex-mcp publishes the service map at http:\/\/127\.0\.0\.1:\d+\/v1\//);
    io.signal("SIGINT");
    expect((await ended).code).toBe(0);
    expect(io.errLines.join("\n")).toContain("The service map is no longer published");
    expect(io.listening()).toBe(0);
  });

  test.each<[string, readonly string[], Record<string, string>, string]>([
    ["a host that others reach, without an API key", ["--host", "0.0.0.0"], {}, "set CORTEX_MCP_SERVICE_MAP_API_KEY"],
    ["a port that is none", ["--port", "70000"], {}, "--port must be a number from 0 to 65535"],
    ["a port in words", ["--port", "http"], {}, '--port must be a number from 0 to 65535, not "http"'],
    [
      "an API key that no header carries",
      [],
      { CONNECTORS_API_KEY: "canary key" },
      "CONNECTORS_API_KEY must be visible ASCII",
    ],
    ["no key to sign with", [], { CONNECTORS_SIGNATURE_KEY: "" }, "there is no key to sign with"],
    ["a port that is taken", ["--host", "127.0.0.1", "--port", TAKEN], {}, "cannot listen on"],
  ])("does not start with %s", async (_name, words, env, message) => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET, ...env } });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await vi.waitFor(() => expect(taken.listening).toBe(true));
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { code, out, err } = await io.run(
      "map",
      "serve",
      "m.json",
      ...words.map((word) => (word === TAKEN ? port : word)),
    );
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
    expect(err).not.toContain("canary");
    expect(io.listening()).toBe(0);
  });

  test("does not start with a manifest that is not there", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET } });
    const { code, err } = await io.run("map", "serve", "none.json", "--port", "0");
    expect([code, err]).toEqual([1, expect.stringContaining("none.json cannot be published: there is no such file")]);
  });
});

describe("R3b: API keys between publisher and verify", () => {
  test("a map behind an API key needs it; CONNECTORS_API_KEY is shown to the configured publisher only", async () => {
    const io = await createTestIo({
      env: { CONNECTORS_SIGNATURE_KEY: SECRET, CORTEX_MCP_SERVICE_MAP_API_KEY: API_KEY },
    });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const { url } = await publishing(io, "m.json", "--host", "127.0.0.1");
    const seen: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void elsewhere.close());
    const verify = async (env: Record<string, string>, target = url) =>
      (await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET, ...env } })).run("map", "verify", target);
    expect((await verify({ CORTEX_MCP_SERVICE_MAP_API_KEY: API_KEY })).code).toBe(0);
    expect((await verify({ CONNECTORS_API_KEY: API_KEY, CONNECTORS_SERVICE_MAP_URL: url })).code).toBe(0);
    for (const env of [NOTHING, { CONNECTORS_API_KEY: API_KEY }, { CORTEX_MCP_SERVICE_MAP_API_KEY: "wrong" }]) {
      const refused = await verify(env);
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("(rule: http-status)") });
      expect(refused.err).not.toContain(API_KEY);
    }
    const address = elsewhere.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const env = { CONNECTORS_API_KEY: API_KEY, CONNECTORS_SERVICE_MAP_URL: url };
    await verify(env, `http://127.0.0.1:${port}/map?token=canary-query`);
    expect(seen).toEqual([undefined]);
  });

  test("a key that would go over the network in the clear is warned of, and no query is shown", async () => {
    const io = await createTestIo({
      env: { CONNECTORS_SIGNATURE_KEY: SECRET, CORTEX_MCP_SERVICE_MAP_API_KEY: API_KEY },
    });
    const { code, err } = await io.run("map", "verify", "http://map.invalid/x?token=canary-query");
    expect(code).toBe(1);
    expect(err).toContain("warning: the API key is sent unencrypted");
    expect(err).toContain("http://map.invalid/x");
    expect(err).not.toContain("canary");
  });

  test("a map that comes as something else than JSON is good, with a warning; a query is not shown", async () => {
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: SECRET } });
    await jsonFile(io, "m.json", manifestOf("docs"));
    const { out: body } = await io.run("map", "sign", "m.json");
    const server = createServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" }).end(body);
    }).listen(0, "127.0.0.1");
    onTestFinished(() => server.close().closeAllConnections());
    await vi.waitFor(() => expect(server.listening).toBe(true));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, out, err } = await io.run("map", "verify", `http://127.0.0.1:${port}/map?token=canary`);
    expect([code, err]).toEqual([0, expect.stringContaining("warning: The service map is good but does not come as")]);
    expect(out).toContain(`The service map is good: http://127.0.0.1:${port}/map\n`);
  });
});
