import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { openLink, testLink } from "../../http/__tests__/open-link.js";
import {
  failure,
  json,
  legacy,
  modern,
  result,
  upstream,
  type Script,
} from "../../http/__tests__/scripted-upstream.js";
import type { UpstreamFacts } from "../../link.js";
import { called, OldServer } from "./old-server.js";

const never = new AbortController().signal;
const PRIOR: UpstreamFacts = {
  era: "legacy",
  transport: "sse",
  revision: "2025-06-18",
  capabilities: {},
  detectedAt: "2023-11-14T00:00:00.000Z",
};
const soon = () => new ManualTime(Date.parse(PRIOR.detectedAt) + 1_000);

describe("a connector of which nobody said which transport its server speaks (R22)", () => {
  test.each<[string, Script]>([
    ["405", (_, res) => void res.writeHead(405).end()],
    ["404 with a page", (_, res) => void res.writeHead(404, { "content-type": "text/html" }).end("Cannot POST /mcp")],
    ["400", (_, res) => void res.writeHead(400).end()],
    ["400 with an error of nobody's", (seen, res) => json(res, 400, failure(seen, -32_000, "no session"))],
  ])("falls back to HTTP+SSE when initialize is answered with %s", async (_, streamable) => {
    const server = await OldServer.start(undefined, { streamable });
    const { facts, link } = await openLink(server.url);
    expect(facts).toMatchObject({ era: "legacy", transport: "sse", revision: "2025-11-25" });
    expect(server.http.seen.map(({ http, method, url }) => `${http} ${url} ${method}`)).toEqual([
      "POST /mcp server/discover",
      "POST /mcp initialize",
      "GET /mcp GET",
      "POST /messages?session=1 initialize",
      "POST /messages?session=1 notifications/initialized",
    ]);
    expect(await link.request("ping", {}, { timeoutMs: 1_000, maxBytes: 1_000 })).toHaveProperty("session", "1");
    expect(link.hearsChanges).toBe(true);
  });

  test.each<[string, Script, string]>([
    ["401", (_, res) => void res.writeHead(401).end(), "needs credentials"],
    ["406", (_, res) => void res.writeHead(406).end(), "HTTP 406 without a JSON-RPC message"],
    ["503", (_, res) => void res.writeHead(503).end(), "HTTP 503"],
    ["an error with 200", (seen, res) => json(res, 200, failure(seen, -32_602, "bad")), "refused initialize"],
    ["a modern error", (seen, res) => json(res, 400, failure(seen, -32_021, "no")), "refused initialize"],
  ])("does not when initialize is answered with %s", async (_, script, reason) => {
    const server = await upstream((seen, res) => {
      if (seen.method === "server/discover") res.writeHead(404).end();
      else script(seen, res);
    });
    await expect(testLink(server.url).link.open(never)).rejects.toThrow(reason);
    expect(server.methods).not.toContain("GET");
  });

  test.each<[string, Script]>([
    ["405", (_, res) => void res.writeHead(405).end()],
    ["a web page", (_, res) => void res.writeHead(200, { "content-type": "text/html" }).end("<p>hello")],
    [
      "another stream",
      (_, res) => void res.writeHead(200, { "content-type": "text/event-stream" }).write("data: x\n\n"),
    ],
  ])("is down with what POST said when GET brings %s", async (_, get) => {
    const server = await upstream((seen, res) => {
      if (seen.http === "GET") get(seen, res);
      else res.writeHead(404).end();
    });
    await expect(testLink(server.url).link.open(never)).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message:
        'Connector "up" answered HTTP 404 to POST: there is no Streamable HTTP server at this address, and none of the older HTTP+SSE either; check the URL',
    });
  });

  test("is down with what GET said when that is the better reason, and with the server's own when it is an old one", async () => {
    const locked = await upstream((seen, res) => void res.writeHead(seen.http === "GET" ? 401 : 405).end());
    await expect(testLink(locked.url).link.open(never)).rejects.toThrow("needs credentials");
    const foreign = await OldServer.start(undefined, { endpoint: () => "https://evil.test/" });
    await expect(testLink(foreign.url).link.open(never)).rejects.toThrow("another origin than its own");
  });

  test("has connectMs for all of it", async () => {
    const time = new ManualTime();
    const server = await OldServer.start(undefined, { endpoint: () => undefined });
    const { link } = testLink(server.url, { time, timeouts: { connectMs: 700 } });
    const opening = expect(link.open(never)).rejects.toThrow("answered HTTP 405 to POST");
    await vi.waitFor(() => expect(server.sessions).toHaveLength(1));
    await time.advance(700);
    await opening;
    expect(time.pending).toBe(0);
  });

  test("can be closed before it is open, and has nothing to say then", async () => {
    const server = await upstream(() => {});
    const { link } = testLink(server.url);
    await expect(link.request("ping", {}, { timeoutMs: 1, maxBytes: 1 })).rejects.toThrow("is being closed");
    await expect(link.subscribe("file:///a")).rejects.toThrow("is being closed");
    expect((await called(link)).error?.message).toBe('Connector "up" is being closed');
    await link.unsubscribe("file:///a");
    link.setLogLevel("debug");
    link.endSession("nobody");
    expect(link.hearsChanges).toBe(false);
    await link.close();
  });
});

test("a log level that is wished before it is known what the server speaks is told to an old server too", async () => {
  const server = await OldServer.start(undefined, { capabilities: { logging: {} } });
  const { link } = testLink(server.url);
  link.setLogLevel("error");
  await link.open(never);
  await vi.waitFor(() => expect(server.http.of("logging/setLevel")).toHaveLength(1));
  link.setLogLevel("error");
  link.setLogLevel("debug");
  await vi.waitFor(() => expect(server.http.of("logging/setLevel")).toHaveLength(2));
  expect(server.http.of("logging/setLevel")[1]?.message["params"]).toEqual({ level: "debug" });
});

describe("the remembered transport", () => {
  test("is tried first, and keeps its date", async () => {
    const server = await OldServer.start();
    const { facts } = await openLink(server.url, { prior: PRIOR, time: soon() });
    expect(server.http.methods).toEqual(["GET", "initialize", "notifications/initialized"]);
    expect(facts).toMatchObject({ transport: "sse", detectedAt: PRIOR.detectedAt });
  });

  test("is not believed for longer than a day", async () => {
    const time = new ManualTime(Date.parse(PRIOR.detectedAt) + 24 * 3_600_000);
    const server = await OldServer.start();
    const { facts } = await openLink(server.url, { prior: PRIOR, time });
    expect(server.http.methods.slice(0, 3)).toEqual(["server/discover", "initialize", "GET"]);
    expect(facts.detectedAt).toBe("2023-11-15T00:00:00.000Z");
  });

  test.each<[string, Script, string]>([
    ["a modern one", modern(() => {}), "modern"],
    ["a Streamable HTTP one", legacy(() => {}), "legacy"],
  ])("leads to the whole detection when the server has become %s", async (_, script, era) => {
    const server = await upstream((seen, res) => {
      if (seen.http === "GET") res.writeHead(405).end();
      else script(seen, res);
    });
    const { facts } = await openLink(server.url, { prior: PRIOR, time: soon() });
    expect(facts.era).toBe(era);
    expect(facts.transport).toBeUndefined();
    expect(server.methods.slice(0, 2)).toEqual(["GET", "server/discover"]);
  });

  test("is not doubted when the server is just not well", async () => {
    const server = await upstream((_, res) => void res.writeHead(503).end());
    await expect(testLink(server.url, { prior: PRIOR, time: soon() }).link.open(never)).rejects.toThrow("HTTP 503");
    expect(server.methods).toEqual(["GET"]);
  });

  test("of another transport does not hide that the server is an old one now", async () => {
    const { transport: _, ...prior } = PRIOR;
    const server = await OldServer.start();
    expect((await openLink(server.url, { prior, time: soon() })).facts.transport).toBe("sse");
    expect(server.http.methods[0]).toBe("initialize");
  });
});

describe("a server that speaks both transports at one address", () => {
  test("is used over the newer one", async () => {
    const server = await OldServer.start(undefined, {
      streamable: modern((seen, res) => json(res, 200, result(seen, { resultType: "complete" }))),
    });
    expect((await openLink(server.url)).facts).toMatchObject({ era: "modern" });
    expect(server.sessions).toEqual([]);
  });
});
