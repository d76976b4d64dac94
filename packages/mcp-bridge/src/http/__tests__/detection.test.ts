import { ManualTime } from "@cortex-os/mcp-core/testing";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { UpstreamFacts } from "../../link.js";
import { openLink, testLink } from "./open-link.js";
import {
  failure,
  json,
  legacy,
  modern,
  result,
  stream,
  upstream,
  DISCOVERED,
  type Script,
} from "./scripted-upstream.js";

const never = new AbortController().signal;
const nothing: Script = (_, res) => void res.writeHead(500).end();
const PRIOR: UpstreamFacts = {
  era: "legacy",
  revision: "2025-06-18",
  capabilities: {},
  detectedAt: "2023-11-14T00:00:00.000Z",
};

describe("era detection against real servers (R8)", () => {
  test("a modern server is known by its discovery, whichever form the answer has", async () => {
    const time = new ManualTime(Date.parse("2026-08-01T00:00:00Z"));
    const server = await upstream((seen, res) => stream(res, result(seen, { ...DISCOVERED, instructions: "be kind" })));
    const { facts } = await openLink(server.url, { time });
    expect(facts).toEqual({
      era: "modern",
      revision: "2026-07-28",
      capabilities: { tools: {} },
      serverInfo: { name: "scripted", version: "1" },
      instructions: "be kind",
      detectedAt: "2026-08-01T00:00:00.000Z",
    });
    expect(server.methods).toEqual(["server/discover"]);
    expect(server.seen[0]?.headers["mcp-method"]).toBe("server/discover");
    expect(time.pending).toBe(0);
  });

  test("a legacy server is known by what it says to a discovery, and greeted with initialize", async () => {
    const server = await upstream(legacy(nothing, { revision: "2025-06-18" }));
    const { facts } = await openLink(server.url);
    expect(facts).toMatchObject({ era: "legacy", revision: "2025-06-18", serverInfo: { name: "scripted-legacy" } });
    expect(server.methods).toEqual(["server/discover", "initialize", "notifications/initialized"]);
  });

  test.each<[string, Script]>([
    ["404 without a body", (_, res) => void res.writeHead(404).end()],
    ["405", (_, res) => void res.writeHead(405).end()],
    ["406 in HTML", (_, res) => void res.writeHead(406, { "content-type": "text/html" }).end("<p>no</p>")],
    ["415", (_, res) => void res.writeHead(415).end()],
    ["200 with method not found", (seen, res) => json(res, 200, failure(seen, -32_601))],
    ["404 with method not found", (seen, res) => json(res, 404, failure(seen, -32_601))],
    [
      "400 about the version, in legacy words",
      (seen, res) => json(res, 400, failure(seen, -32_000, "Unsupported protocol version")),
    ],
    ["202 and nothing", (_, res) => void res.writeHead(202).end()],
    ["a result that is no discovery", (seen, res) => json(res, 200, result(seen, {}))],
    ["only legacy revisions", (seen, res) => json(res, 200, result(seen, { supportedVersions: ["2025-11-25"] }))],
    [
      "an unsupported version",
      (seen, res) => json(res, 400, failure(seen, -32_022, "no", { supported: ["2025-11-25"] })),
    ],
  ])("falls back to initialize after %s", async (_, discover) => {
    const old = legacy(nothing);
    const server = await upstream((seen, res) =>
      seen.method === "server/discover" ? discover(seen, res) : old(seen, res),
    );
    expect((await openLink(server.url)).facts.era).toBe("legacy");
  });

  test.each<[string, Script]>([
    ["a header mismatch", (seen, res) => json(res, 400, failure(seen, -32_020))],
    ["a missing capability", (seen, res) => json(res, 400, failure(seen, -32_021))],
    ["404 with method not found, also to initialize", (seen, res) => json(res, 404, failure(seen, -32_601))],
  ])("takes a server for modern after %s, and assumes that it has tools", async (_, script) => {
    const server = await upstream(script);
    expect((await openLink(server.url)).facts).toMatchObject({
      era: "modern",
      revision: "2026-07-28",
      capabilities: { tools: {} },
    });
  });

  test.each<[string, Script, string, string]>([
    ["401", (_, res) => void res.writeHead(401).end(), "UPSTREAM_UNAVAILABLE", "needs credentials"],
    [
      "403 with a JSON-RPC error",
      (seen, res) => json(res, 403, failure(seen, -32_600)),
      "UPSTREAM_UNAVAILABLE",
      "needs credentials",
    ],
    ["503", (_, res) => void res.writeHead(503).end(), "UPSTREAM_UNAVAILABLE", "HTTP 503"],
    ["429", (_, res) => void res.writeHead(429).end(), "UPSTREAM_LIMIT", "too many requests"],
    ["a redirect", (_, res) => void res.writeHead(308, { location: "/x" }).end(), "UPSTREAM_PROTOCOL", "redirect"],
    [
      "unknown revisions",
      (seen, res) => json(res, 400, failure(seen, -32_022, "no", { supported: ["2031-01-01", 7] })),
      "UPSTREAM_PROTOCOL",
      '["2031-01-01"]',
    ],
    ["a broken connection", (_, res) => void res.destroy(), "UPSTREAM_UNAVAILABLE", "closed the connection"],
    [
      "5 MB",
      (_, res) => void res.writeHead(200).end("x".repeat(5_000_000)),
      "UPSTREAM_LIMIT",
      "more than 4194304 bytes",
    ],
  ])("has no verdict after %s: it is down, and initialize is not even tried", async (_, script, code, text) => {
    const server = await upstream(script);
    const { link } = testLink(server.url);
    const error = expect(link.open(never)).rejects;
    await error.toMatchObject({ code });
    await expect(testLink(server.url).link.open(never)).rejects.toThrow(text);
    expect(server.methods).not.toContain("initialize");
  });

  test.each<[string, Script, string]>([
    ["405", (_, res) => void res.writeHead(405).end(), "the older HTTP+SSE transport is not supported yet"],
    [
      "a web page",
      (_, res) => void res.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "HTTP 200 without a JSON-RPC message",
    ],
    [
      "an error",
      (seen, res) => json(res, 200, failure(seen, -32_602, "bad")),
      'refused initialize with error -32602 (upstream text: "bad")',
    ],
    ["an error behind a 500", (seen, res) => json(res, 500, failure(seen, -32_603, "bad")), "HTTP 500"],
    [
      "an unknown revision",
      (seen, res) => json(res, 200, result(seen, { protocolVersion: "1999-01-01" })),
      '"1999-01-01" (legacy)',
    ],
    ["no revision", (seen, res) => json(res, 200, result(seen, {})), "protocol version none"],
  ])("is down with the reason when initialize is answered with %s", async (_, script, text) => {
    const server = await upstream((seen, res) => {
      if (seen.method === "server/discover") res.writeHead(404).end();
      else script(seen, res);
    });
    await expect(testLink(server.url).link.open(never)).rejects.toThrow(text);
  });

  test("an upstream that says nothing is no legacy server: the whole detection ends after connectMs", async () => {
    const time = new ManualTime();
    const server = await upstream((seen, res) => {
      if (seen.method === "server/discover") res.writeHead(404).end();
    });
    const { link } = testLink(server.url, { time, timeouts: { connectMs: 700 } });
    const opening = expect(link.open(never)).rejects.toMatchObject({
      code: "UPSTREAM_TIMEOUT",
      message: 'Connector "up" did not say what it speaks within 700 ms',
    });
    await vi.waitFor(() => expect(server.methods).toEqual(["server/discover", "initialize"]));
    await time.advance(700);
    await opening;
    await vi.waitFor(() => expect(server.of("initialize")[0]?.aborted).toBe(true));
    expect(time.pending).toBe(0);
  });

  test("opening ends when its signal fires, before or while it is under way", async () => {
    const server = await upstream(() => {});
    await expect(testLink(server.url).link.open(AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    const controller = new AbortController();
    const opening = expect(testLink(server.url).link.open(controller.signal)).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    controller.abort();
    await opening;
  });
});

describe("the remembered verdict", () => {
  test("saves the probe, and keeps its date", async () => {
    const time = new ManualTime(Date.parse(PRIOR.detectedAt) + 1_000);
    const server = await upstream(legacy(nothing));
    const { facts } = await openLink(server.url, { prior: PRIOR, time });
    expect(server.methods).toEqual(["initialize", "notifications/initialized"]);
    expect(facts).toMatchObject({ era: "legacy", revision: "2025-11-25", detectedAt: PRIOR.detectedAt });
  });

  test("is not believed for longer than a day: the upstream may have become modern", async () => {
    const time = new ManualTime(Date.parse(PRIOR.detectedAt) + 24 * 3_600_000);
    const server = await upstream(legacy(nothing));
    const { facts } = await openLink(server.url, { prior: PRIOR, time });
    expect(server.methods[0]).toBe("server/discover");
    expect(facts.detectedAt).toBe("2023-11-15T00:00:00.000Z");
  });

  test("leads to a fresh probe when it fails, but not when the upstream is just not well", async () => {
    const time = new ManualTime(Date.parse(PRIOR.detectedAt) + 1_000);
    const server = await upstream(modern((seen, res) => json(res, 404, failure(seen, -32_601))));
    const { facts } = await openLink(server.url, { prior: PRIOR, time });
    expect(facts.era).toBe("modern");
    expect(server.methods).toEqual(["initialize", "server/discover"]);
    const ill = await upstream((_, res) => void res.writeHead(500).end());
    await expect(testLink(ill.url, { prior: PRIOR, time }).link.open(never)).rejects.toThrow("HTTP 500");
    expect(ill.methods).toEqual(["initialize"]);
  });
});

describe("the way to the upstream", () => {
  test("an injected agent carries everything and is left open", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, {}))));
    const agent = new Agent();
    onTestFinished(() => agent.close());
    const { close } = await openLink(server.url, { agent });
    await close();
    expect(agent.closed).toBe(false);
    const again = await openLink(server.url, { agent });
    expect(await again.link.request("ping", {}, { timeoutMs: 1_000, maxBytes: 100 })).toEqual({});
    expect(Object.keys(agent.stats)).toEqual([new URL(server.url).origin]);
  });

  test("sockets of its own are gone after closing", async () => {
    const server = await upstream(modern(nothing));
    const { close } = await openLink(server.url);
    expect(await server.open()).toBe(1);
    await close();
    await vi.waitFor(async () => expect(await server.open()).toBe(0));
  });

  test("headers that nobody may set are left out with a warning that shows no value, others go with every request", async () => {
    const server = await upstream(modern(nothing));
    const headers = {
      Authorization: "Bearer s3cret",
      Cookie: "c=1",
      "Content-Length": "9",
      "mcp-session-id": "stolen",
      TE: "x",
    };
    const { logger } = await openLink(server.url, { headers });
    expect(server.seen[0]?.headers).toMatchObject({ authorization: "Bearer s3cret", cookie: "c=1" });
    expect(server.seen[0]?.headers["mcp-session-id"]).toBeUndefined();
    expect(logger.lines[0]).toMatchObject({
      level: "warn",
      fields: { headers: ["Content-Length", "mcp-session-id", "TE"] },
    });
    expect(JSON.stringify(logger.lines)).not.toMatch(/s3cret|stolen/);
  });

  test("user name and password of the URL become Basic authentication", async () => {
    const server = await upstream(modern(nothing));
    await openLink(server.url.replace("127.0.0.1", "a%40b:p%zz@127.0.0.1"));
    expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("a@b:p%zz").toString("base64")}`);
  });

  test.each([
    ["ftp://x/", {}, "http or https URL"],
    ["not a url", {}, "http or https URL"],
    ["http://x/", { "bad name": "s3cret" }, '["bad name"]'],
    ["http://x/", { "x-a": "s3cret\n" }, '["x-a"]'],
  ])("an address or header that cannot be used is refused without showing values: %s %j", (url, headers, text) => {
    expect(() => testLink(url, { headers })).toThrow(text);
    expect(() => testLink(url, { headers })).not.toThrow("s3cret");
  });
});
