import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { failure, json, modern, openStream, result, upstream } from "./scripted-upstream.js";

const OK = { resultType: "complete", content: [] };

describe("the byte path of a modern client to a modern upstream (R8)", () => {
  test("sends the request as it is, with the mirrored headers, and gives back status, type and bytes unchanged", async () => {
    const server = await upstream(
      modern((_, res) => {
        res.writeHead(200, {
          "content-type": "application/json; charset=utf-8",
          "x-secret": "s",
          "cache-control": "no-store",
        });
        res.end('{"jsonrpc":"2.0",  "id":7,"result":{"odd":"spacing"}}');
      }),
    );
    const { link } = await openLink(server.url, { headers: { "X-Key": "k", Host: "evil", "Mcp-Name": "evil" } });
    const sink = new RecordingSink();
    const call = {
      ...toolCall(MODERN_CALLER, 7, {}, "échó"),
      paramHeaders: { "mcp-param-region": "eu", "x-other": "no" },
    };
    link.send(call, sink);
    await sink.done;
    expect(sink.status).toBe(200);
    expect(sink.text).toBe('{"jsonrpc":"2.0",  "id":7,"result":{"odd":"spacing"}}');
    expect(sink.headers).toEqual({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
    expect(sink.endings).toEqual(["end"]);
    const [seen] = server.of("tools/call");
    expect(seen?.message).toEqual({ jsonrpc: "2.0", id: 7, method: "tools/call", params: call.params });
    expect(seen?.headers).toMatchObject({
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": `=?base64?${Buffer.from("échó").toString("base64")}?=`,
      "mcp-param-region": "eu",
      "x-key": "k",
    });
    expect(seen?.headers["x-other"]).toBeUndefined();
    expect(seen?.headers.host).toContain("127.0.0.1");
  });

  test("passes an event stream on chunk by chunk, before it has ended", async () => {
    let finish = (): void => {};
    const server = await upstream(
      modern((seen, res) => {
        const send = openStream(res);
        send({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "t", progress: 1 } });
        finish = () => {
          send(result(seen, OK));
          res.end();
        };
      }),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.text).toContain("notifications/progress"));
    expect(sink.endings).toEqual([]);
    finish();
    await sink.done;
    expect(sink.headers["content-type"]).toBe("text/event-stream");
    expect(sink.text).toContain('"resultType":"complete"');
  });

  test("passes a refusal with a JSON-RPC error on with its status, code and data", async () => {
    const server = await upstream(
      modern((seen, res) =>
        json(res, 400, failure(seen, -32_021, "needs more", { requiredCapabilities: { sampling: {} } })),
      ),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(sink.status).toBe(400);
    expect(sink.body).toMatchObject({
      id: 7,
      error: { code: -32_021, data: { requiredCapabilities: { sampling: {} } } },
    });
  });

  test("holds no more than a few chunks for a reader that stalls, and goes on when it resumes", async () => {
    const size = 64 * 1024 * 1024;
    let written = 0;
    const server = await upstream(
      modern((_, res) => {
        res.writeHead(200, { "content-type": "application/json" });
        const chunk = Buffer.alloc(64 * 1024, "{");
        const pump = async (): Promise<void> => {
          for (; written < size; written += chunk.length) {
            if (!res.write(chunk)) await once(res, "drain");
          }
          res.end();
        };
        void pump();
      }),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    sink.behind = true;
    const exchange = link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.chunks.length).toBe(1));
    // The upstream fills the sockets' buffers and then waits as well.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = written;
        const stalled = now === before;
        before = now;
        expect(stalled).toBe(true);
      },
      { interval: 100, timeout: 10_000 },
    );
    expect(sink.chunks.length).toBe(1);
    expect(written).toBeLessThan(size / 2);
    sink.behind = false;
    exchange.resume();
    await sink.done;
    expect(sink.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(size);
  });

  test("closes the connection when the client cancels, before and during the answer, and says nothing more", async () => {
    const server = await upstream(modern((_, res) => void openStream(res)));
    const { link } = await openLink(server.url);
    const waiting = new RecordingSink();
    const early = link.send(toolCall(MODERN_CALLER, 1), waiting);
    early.cancel();
    const sink = new RecordingSink();
    const exchange = link.send(toolCall(MODERN_CALLER, 2), sink);
    await vi.waitFor(() => expect(sink.status).toBe(200));
    exchange.cancel("enough");
    exchange.cancel("twice");
    await vi.waitFor(() => expect(server.seen.find((seen) => seen.message["id"] === 2)?.aborted).toBe(true));
    expect([...waiting.endings, ...sink.endings]).toEqual([]);
    expect(server.methods).not.toContain("notifications/cancelled");
  });

  test("breaks off the JSON it has begun to pass on when the upstream breaks off", async () => {
    const server = await upstream(
      modern((_, res) => {
        res.writeHead(200, { "content-type": "application/json" });
        res.write('{"jsonrpc":', () => res.destroy());
      }),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(sink.endings).toEqual(["abort"]);
    expect(sink.aborted?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(sink.aborted?.message).toContain("may have been carried out");
  });

  test.each([
    ["a web page", 200, { "content-type": "text/html" }, "<html>", "UPSTREAM_PROTOCOL", 'content type "text/html"'],
    ["no content", 202, {}, "", "UPSTREAM_PROTOCOL", "no content type"],
    [
      "a compressed answer",
      200,
      { "content-type": "application/json", "content-encoding": "gzip" },
      "x",
      "UPSTREAM_PROTOCOL",
      "gzip",
    ],
    ["a redirect", 307, { location: "http://127.0.0.1:1/" }, "", "UPSTREAM_PROTOCOL", "redirect (HTTP 307)"],
    [
      "a missing credential",
      401,
      { "content-type": "application/json" },
      "{}",
      "UPSTREAM_UNAVAILABLE",
      "needs credentials",
    ],
    ["too many requests", 429, {}, "", "UPSTREAM_LIMIT", "HTTP 429"],
    [
      "a broken proxy",
      502,
      { "content-type": "text/html" },
      "<h1>Bad\u0007\nGateway</h1>",
      "UPSTREAM_UNAVAILABLE",
      '(upstream text: "<h1>Bad Gateway</h1>")',
    ],
    ["an endless refusal", 500, {}, "x".repeat(300_000), "UPSTREAM_UNAVAILABLE", "HTTP 500"],
    [
      "a refusal for another request",
      400,
      {},
      '{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"m"}}',
      "UPSTREAM_PROTOCOL",
      "HTTP 400",
    ],
    ["a refusal that is a result", 400, {}, '{"jsonrpc":"2.0","id":7,"result":{}}', "UPSTREAM_PROTOCOL", "HTTP 400"],
  ])("makes an error of ours of %s", async (_, status, headers, body, code, text) => {
    const server = await upstream(modern((__, res) => void res.writeHead(status, headers).end(body)));
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(sink.endings).toEqual(["fail"]);
    expect(sink.error?.code).toBe(code);
    expect(sink.error?.message).toContain(text);
  });

  test("refuses headers that HTTP cannot carry without calling the connection lost", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, OK))));
    const { link, lost } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send({ ...toolCall(MODERN_CALLER), paramHeaders: { "mcp-param-a": "x\r\ny: z" } }, sink);
    await sink.done;
    expect(sink.error?.code).toBe("INVALID_REQUEST");
    expect(lost).toEqual([]);
  });

  test("reports the connection as lost, once, when nobody listens any more", async () => {
    const server = await upstream(modern(() => {}));
    const { link, lost } = await openLink(server.url);
    await server.stop();
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const sink of sinks) link.send(toolCall(MODERN_CALLER), sink);
    await Promise.all(sinks.map((sink) => sink.done));
    expect(sinks[0]?.error?.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(sinks[0]?.error?.message).toBe('Connector "up" cannot be reached: connection refused');
    expect(lost).toHaveLength(1);
    const late = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), late).cancel();
    expect(late.endings).toEqual(["fail"]);
  });
});
