import type { ServerResponse } from "node:http";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { LEGACY_CALLER, openLink, testLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, modern, result, upstream, type Script } from "./scripted-upstream.js";

const nothing: Script = (_, res) => void res.writeHead(500).end();

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

  test("as many calls as there are sockets for them lock out no handshake, list, note or goodbye", async () => {
    const held = new Set<ServerResponse>();
    const sessions = new Set<string>();
    const server = await upstream(
      legacy(
        (seen, res) => {
          if (seen.method === "tools/call") held.add(res);
          else json(res, 200, result(seen, { tools: [] }));
        },
        { sessions },
      ),
    );
    const { link } = await openLink(server.url);
    const exchanges = Array.from({ length: 140 }, (_, id) =>
      link.send(toolCall(LEGACY_CALLER, id), new RecordingSink()),
    );
    await vi.waitFor(() => expect(held.size).toBe(128));
    expect(await link.request("tools/list", {}, { timeoutMs: 5_000, maxBytes: 1_000 })).toEqual({ tools: [] });
    link.send(toolCall({ ...LEGACY_CALLER, sessionKey: "client-2" }), new RecordingSink());
    await vi.waitFor(() => expect(server.of("notifications/initialized")).toHaveLength(3));
    link.endSession("client-2");
    await vi.waitFor(() => expect(sessions).toEqual(new Set(["session-1", "session-2"])));
    exchanges[0]?.cancel();
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
    // A call of the gateway's own is a call.
    const own = link.request("tools/call", { name: "echo" }, { timeoutMs: 60_000, maxBytes: 1_000 }).catch(() => {});
    await vi.waitFor(() => expect(held.size).toBe(129));
    await link.close();
    await own;
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
