import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import type { UpstreamFacts } from "../../link.js";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, testLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
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

  test("asks again in the revision that a refusal names, once", async () => {
    let refusals = 1;
    const server = await upstream((seen, res) => {
      if (refusals-- > 0) json(res, 400, failure(seen, -32_022, "no", { supported: ["2031-01-01", "2026-07-28"] }));
      else modern(nothing)(seen, res);
    });
    expect((await openLink(server.url)).facts).toMatchObject({ era: "modern", revision: "2026-07-28" });
    refusals = 2;
    await expect(testLink(server.url).link.open(never)).rejects.toThrow("refuses the revision 2026-07-28");
    expect(server.methods).toEqual(Array.from({ length: 4 }, () => "server/discover"));
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
    [
      "405",
      (_, res) => void res.writeHead(405).end(),
      "answered HTTP 405 to POST: there is no Streamable HTTP server at this address, and none of the older HTTP+SSE either; check the URL",
    ],
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

describe("an upstream that is replaced by one of another era without closing a connection", () => {
  const refuse: Script = (seen, res) => json(res, 400, failure(seen, -32_602, "bad arguments"));

  async function refusedCall(link: Awaited<ReturnType<typeof openLink>>["link"], caller: Caller): Promise<void> {
    const sink = new RecordingSink();
    link.send(toolCall(caller), sink);
    await sink.done;
  }

  test.each<[string, Script, Script, Caller]>([
    ["modern to legacy", modern(refuse), legacy(refuse, { sessions: new Set() }), MODERN_CALLER],
    ["legacy to modern", legacy(refuse, { sessions: new Set() }), modern(refuse), LEGACY_CALLER],
  ])("%s: the first refusal leads to another look, and the link counts as lost", async (_, before, after, caller) => {
    const server = await upstream(before);
    const { link, lost } = await openLink(server.url);
    server.script = after;
    await refusedCall(link, caller);
    await vi.waitFor(() => expect(lost[0]?.message).toMatch(/is not the server it was: it is (?:modern|legacy) now/));
  });

  test("one that is the same is looked at every ten seconds at most, and nothing else happens", async () => {
    const time = new ManualTime();
    const sessions = new Set<string>();
    const server = await upstream(legacy(refuse, { sessions }));
    const { link, lost } = await openLink(server.url, { time });
    for (let call = 0; call < 3; call += 1) await refusedCall(link, LEGACY_CALLER);
    await vi.waitFor(() => expect(server.of("DELETE")).toHaveLength(1));
    expect(server.of("server/discover")).toHaveLength(2);
    expect(sessions.size).toBe(2);
    await time.advance(10_000);
    server.script = (seen, res) =>
      seen.method === "server/discover" ? void res.writeHead(503).end() : refuse(seen, res);
    await refusedCall(link, LEGACY_CALLER);
    await vi.waitFor(() => expect(server.of("server/discover")).toHaveLength(3));
    await refusedCall(link, LEGACY_CALLER);
    expect(lost).toEqual([]);
  });
});
