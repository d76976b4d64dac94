import { ManualTime } from "@cortex-os/mcp-core/testing";
import { encodeSseMessage, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall, type TestLinkOptions } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { failure, legacy, modern, openStream, result, upstream, type Script } from "./scripted-upstream.js";

const DONE = { resultType: "complete", content: [] };
const note = (progress: number): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: "t", progress },
});

/** One call whose answer is written as bytes, however it ends. */
async function answered(write: Script, caller: Caller = MODERN_CALLER, options: TestLinkOptions = {}) {
  const server = await upstream(caller.era === "modern" ? modern(write) : legacy(write, { sessions: new Set() }));
  const opened = await openLink(server.url, options);
  const sink = new RecordingSink();
  opened.link.send(toolCall(caller), sink);
  await sink.done;
  return { ...opened, server, sink };
}

const text =
  (...parts: string[]): Script =>
  (_, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) res.write(part);
    res.end();
  };

const ANSWER = encodeSseMessage({ jsonrpc: "2.0", id: 7, result: DONE });

describe("event streams on the byte path (R8)", () => {
  test("a stream that stays open after its answer ends for the client at once, and frees its socket after a moment", async () => {
    const time = new ManualTime();
    const { server, sink } = await answered(
      (seen, res) => {
        const send = openStream(res);
        send(result(seen, DONE));
        send(note(2));
      },
      MODERN_CALLER,
      { time },
    );
    expect(sink.endings).toEqual(["end"]);
    expect(sink.messages).toEqual([{ jsonrpc: "2.0", id: 7, result: DONE }]);
    expect(server.of("tools/call")[0]?.aborted).toBe(false);
    await time.advance(1_000);
    await vi.waitFor(() => expect(server.of("tools/call")[0]?.aborted).toBe(true));
    expect(time.pending).toBe(0);
    expect(sink.text).not.toContain("progress");
  });

  test("hundreds of answered calls whose streams never end do not use up the sockets", async () => {
    const server = await upstream(modern((seen, res) => openStream(res)(result(seen, DONE))));
    const { link } = await openLink(server.url);
    const sinks = Array.from({ length: 300 }, (_, id) => {
      const sink = new RecordingSink();
      link.send(toolCall(MODERN_CALLER, id), sink);
      return sink;
    });
    await Promise.all(sinks.map((sink) => sink.done));
    expect(new Set(sinks.map((sink) => sink.endings.join()))).toEqual(new Set(["end"]));
  });

  test("everything but ids and retries is passed on as it came, and no length is promised", async () => {
    const stream = `: hi\n\nid: 3\nretry: 9\nevent: message\r\ndata: ${JSON.stringify(note(1))}\r\n\r\nevent: x\ndata: {\n\ndata: {"odd": 1}\n\ndata: no json\n\ndata: []\n\n`;
    const { sink } = await answered((_, res) => {
      const whole = stream + ANSWER;
      res.writeHead(200, { "content-type": "text/event-stream", "content-length": Buffer.byteLength(whole) });
      res.end(whole);
    });
    expect(sink.text).toBe(stream.replace("id: 3\nretry: 9\n", "") + ANSWER);
    expect(sink.headers).toEqual({ "content-type": "text/event-stream" });
  });

  test("the answer's last line break is whole for the client also when its line feed comes later, or never", async () => {
    const { sink } = await answered(text(ANSWER.replaceAll("\n", "\r\n").slice(0, -1)));
    expect(sink.text).toBe(ANSWER.replaceAll("\n", "\r\n"));
  });

  test("requests of a legacy upstream are answered by the gateway and do not reach the client", async () => {
    const { server, sink } = await answered((seen, res) => {
      const send = openStream(res);
      send({ jsonrpc: "2.0", id: "a", method: "sampling/createMessage", params: {} });
      send({ jsonrpc: "2.0", id: "b", method: "ping" });
      send(note(1));
      send(result(seen, {}));
      res.end();
    }, LEGACY_CALLER);
    expect(sink.messages).toEqual([note(1), { jsonrpc: "2.0", id: 7, result: {} }]);
    await vi.waitFor(() => expect(server.of("POST")).toHaveLength(2));
    const answers = server.of("POST").toSorted((one) => (one.message["id"] === "a" ? -1 : 1));
    expect(answers[0]?.message).toMatchObject({ id: "a", error: { code: -32_601 } });
    expect(answers[1]?.message).toEqual({ jsonrpc: "2.0", id: "b", result: {} });
    expect(answers[0]?.headers["mcp-session-id"]).toBe("session-2");
  });

  test("a modern upstream may not send requests: they go nowhere, and nothing is answered", async () => {
    const { server, sink } = await answered((seen, res) => {
      const send = openStream(res);
      send({ jsonrpc: "2.0", id: "a", method: "elicitation/create", params: {} });
      send(result(seen, DONE));
      res.end();
    });
    expect(sink.messages).toEqual([{ jsonrpc: "2.0", id: 7, result: DONE }]);
    expect(server.methods).toEqual(["server/discover", "tools/call"]);
  });

  test("a change of the tools is the gateway's to hear and to tell", async () => {
    const { changes, sink } = await answered((seen, res) => {
      const send = openStream(res);
      send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
      send(result(seen, DONE));
      res.end();
    });
    expect(changes.count).toBe(1);
    expect(sink.messages).toHaveLength(1);
  });

  test("of a batch only what is for the client is passed on, and a second answer is dropped", async () => {
    const first = { jsonrpc: "2.0", id: 7, result: { a: 1 } };
    const batch = [note(1), { jsonrpc: "2.0", id: "p", method: "ping" }, first, { ...first, result: { a: 2 } }];
    const { sink } = await answered(text(`data: ${JSON.stringify(batch)}\n\n`, ANSWER), LEGACY_CALLER);
    expect(sink.messages).toEqual([[note(1), first]]);
    const two = await answered(text(ANSWER, ANSWER.replace("[]", "[2]")));
    expect(two.sink.text).toBe(ANSWER);
    const ping = await answered(text('data: {"jsonrpc":"2.0","id":1,"method":"ping"}\n\n', ANSWER), LEGACY_CALLER);
    expect(ping.sink.text).toBe(ANSWER);
  });

  test("an error without an id gets the one that the client waits for; another request's answer is left alone", async () => {
    const other = '{"jsonrpc":"2.0","id":"other","result":{}}';
    const error = { code: -32_603, message: "broke" };
    const { sink } = await answered(
      text(`data: ${other}\n\n`, `data: ${JSON.stringify({ jsonrpc: "2.0", id: null, error })}\n\n`),
    );
    expect(sink.messages).toEqual([JSON.parse(other), { jsonrpc: "2.0", id: 7, error }]);
  });

  test.each<[string, Script, number, RegExp]>([
    ["ends without an answer", text(": nothing\n\n"), -31_001, /without an answer/],
    [
      "breaks",
      (_, res) => {
        openStream(res)(note(1));
        setTimeout(() => res.destroy(), 5);
      },
      -31_001,
      /broke off before its answer was complete.*may have been carried out/,
    ],
    ["sends an event without end", text(`data: ${"x".repeat(33 * 1024 * 1024)}`), -31_003, /more than 33554432 bytes/],
  ])("a stream that %s ends with an error for the request, as an event", async (_, script, code, message) => {
    const { sink } = await answered(script);
    expect(sink.endings).toEqual(["end"]);
    expect(sink.failure?.message).toMatch(message);
    expect(sink.messages.at(-1)).toMatchObject({
      jsonrpc: "2.0",
      id: 7,
      error: { code, message: sink.failure?.message },
    });
  });

  test("comments keep no silent upstream alive", async () => {
    const time = new ManualTime();
    let keepAlive = (): void => {};
    const server = await upstream(
      modern((_, res) => {
        openStream(res);
        keepAlive = () => res.write(": still here\n\n");
      }),
    );
    const { link } = await openLink(server.url, { time, timeouts: { callMs: 1_000 } });
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.status).toBe(200));
    await time.advance(900);
    keepAlive();
    await vi.waitFor(() => expect(sink.text).toBe(": still here\n\n"));
    await time.advance(100);
    expect(sink.failure?.code).toBe("UPSTREAM_TIMEOUT");
  });

  test("a reader that is behind stops the upstream, and goes on", async () => {
    let more = (): void => {};
    const server = await upstream(
      modern((seen, res) => {
        const send = openStream(res);
        send(note(1));
        more = () => {
          send(result(seen, DONE));
          res.end();
        };
      }),
    );
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    sink.behind = true;
    const exchange = link.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.chunks).toHaveLength(1));
    more();
    sink.behind = false;
    exchange.resume();
    await sink.done;
    expect(sink.messages).toHaveLength(2);
  });
});

describe("a modern upstream that misses a mirrored header (reliability.md, T16)", () => {
  test("is listed again, and the call not sent a second time, whichever way the error comes", async () => {
    const refused = await answered((seen, res) => {
      res
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify(failure(seen, -32_020, "no Mcp-Param-A")));
    });
    expect(refused.sink.status).toBe(400);
    const streamed = await answered((seen, res) => {
      openStream(res)(failure(seen, -32_020, "no Mcp-Param-A"));
      res.end();
    });
    expect([refused.changes.count, streamed.changes.count]).toEqual([1, 1]);
    expect(refused.server.of("tools/call")).toHaveLength(1);
  });

  test("a legacy upstream may mean anything by that code", async () => {
    const { changes } = await answered((seen, res) => {
      openStream(res)(failure(seen, -32_020));
      res.end();
    }, LEGACY_CALLER);
    expect(changes.count).toBe(0);
  });
});

describe("nonsense as JSON on the byte path (R8)", () => {
  const answerWith =
    (...chunks: string[]): Script =>
    (_, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(chunks.join("")) });
      for (const chunk of chunks) res.write(chunk);
      res.end();
    };

  test.each([
    ["nothing", [], "HTTP 200 with an empty body"],
    ["white space", [" \r\n"], "HTTP 200 with an empty body"],
    ["a web page", ["<html>oops</html>"], 'not JSON (upstream text: "<html>oops</html>")'],
    ["a number", ["\n", " 7"], 'not JSON (upstream text: "7")'],
  ])("%s becomes an error of ours, before anything reached the client", async (_, chunks, message) => {
    const { sink } = await answered(answerWith(...chunks));
    expect(sink.endings).toEqual(["fail"]);
    expect(sink.status).toBeUndefined();
    expect(sink.error?.code).toBe("UPSTREAM_PROTOCOL");
    expect(sink.error?.message).toContain(message);
  });

  test("what may stand before JSON does no harm", async () => {
    const json = '{"jsonrpc":"2.0","id":7,"result":{}}';
    for (const before of [" \n", "\uFEFF", ""]) {
      const { sink } = await answered(answerWith(before + json));
      expect(sink.text).toBe(before + json);
      expect(sink.headers["content-length"]).toBe(String(Buffer.byteLength(before + json)));
    }
  });

  test("white space that came alone is dropped, with the length that it was part of", async () => {
    const server = await upstream(
      modern((_, res) => {
        res.writeHead(200, { "content-type": "application/json", "content-length": 4 });
        res.write(" \n", () => setTimeout(() => res.end("[]"), 20));
      }),
    );
    const { link } = await openLink(server.url);
    // Whether it comes alone is the network's to say.
    await vi.waitFor(async () => {
      const sink = new RecordingSink();
      link.send(toolCall(MODERN_CALLER), sink);
      await sink.done;
      expect(sink.text).toBe("[]");
      expect(sink.headers["content-length"]).toBeUndefined();
    });
  });
});
