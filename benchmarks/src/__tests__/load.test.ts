import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, test } from "vitest";
import { AnswerCheck } from "../answer-check.js";
import { AnswerReader } from "../answer-reader.js";
import { load, type Target } from "../load.js";

/** What a reader makes of `text` when it comes in pieces of `size` bytes. */
function read(text: string, size: number): { status: number; body: string }[] {
  const answers: { status: number; body: string }[] = [];
  let body = "";
  const reader = new AnswerReader({
    body: (piece) => {
      body += piece.toString();
    },
    end: (status) => {
      answers.push({ status, body });
      body = "";
    },
  });
  for (let at = 0; at < text.length; at += size) reader.read(Buffer.from(text.slice(at, at + size)));
  return answers;
}

describe("answers are read however the network cuts them", () => {
  const withLength = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello";
  const inChunks =
    "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n";
  const empty = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

  test.each([1, 2, 3, 7, 1_000])("in pieces of %i bytes", (size) => {
    expect(read(withLength + inChunks + empty + withLength, size)).toEqual([
      { status: 200, body: "hello" },
      { status: 404, body: "hello" },
      { status: 202, body: "" },
      { status: 200, body: "hello" },
    ]);
  });

  test.each([
    ["no answer at all\r\n\r\n", "an answer that cannot be read"],
    ["HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", "an answer that cannot be read"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "no size of a chunk: zz"],
  ])("%j is refused", (text, message) => {
    expect(() => read(text, 1_000)).toThrow(message);
  });
});

describe("every answer is checked", () => {
  const checkOf = (answers: readonly (readonly string[])[], judged: string[]) => {
    const check = new AnswerCheck((body) => {
      judged.push(body);
      return body.startsWith("good") ? undefined : "not good";
    });
    for (const pieces of answers) {
      for (const piece of pieces) check.body(Buffer.from(piece));
      check.end(200);
    }
  };

  test("the same bytes are judged once, however they were cut; others are judged whole", () => {
    const judged: string[] = [];
    checkOf([["good 1"], ["go", "od 1"], ["good", " 2"], ["good 2"], ["good"], ["good 2", " and more"]], judged);
    expect(judged).toEqual(["good 1", "good 2", "good", "good 2 and more"]);
  });

  test.each([["goo"], ["bad 1"], [""]])("after a good answer %j is still a bad one", (bad) => {
    expect(() => {
      checkOf([["good 1"], [bad]], []);
    }).toThrow(`answered 200, not good: ${bad}`);
  });

  test("the same bytes under another status are no good answer", () => {
    const check = new AnswerCheck(() => undefined);
    for (const status of [200, 500]) {
      check.body(Buffer.from("same"));
      if (status === 200) check.end(status);
      else {
        expect(() => {
          check.end(status);
        }).toThrow("answered 500, not 200: same");
      }
    }
  });
});

describe("load on a real server", () => {
  async function withServer<T>(listener: RequestListener, work: (target: Target) => Promise<T>): Promise<T> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      return await work({ url: `http://127.0.0.1:${port}/mcp?x=1`, headers: { "x-a": "b" }, body: "{}" });
    } finally {
      server.close().closeAllConnections();
    }
  }

  test("each connection keeps one call of its own under way, and every call is counted", async () => {
    const seen = new Map<string, number>();
    const answering: RequestListener = (request, response) => {
      let body = "";
      request.on("data", (piece: Buffer) => {
        body += piece.toString();
      });
      request.on("end", () => {
        const key = [request.method, request.url, request.headers["x-a"], body].join(" ");
        seen.set(key, (seen.get(key) ?? 0) + 1);
        response.end('{"result":{}}');
      });
    };
    const { calls, latenciesMs } = await withServer(answering, async (target) =>
      load((connection) => ({ ...target, body: `{"id":${connection}}` }), 3, 50),
    );
    expect([...seen.keys()].toSorted()).toEqual([0, 1, 2].map((id) => `POST /mcp?x=1 b {"id":${id}}`));
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(calls);
    expect(latenciesMs).toHaveLength(calls);
  });

  test.each<[string, RequestListener]>([
    ["answered 503, not 200: busy", (_request, response) => response.writeHead(503).end("busy")],
    ['answered 200, no good result: {"error":{}}', (_request, response) => response.end('{"error":{}}')],
    ["no good result", (_request, response) => response.end('{"result":{"isError":true}}')],
    ["closed before the answer had come", (request) => request.socket.end()],
  ])("it ends with the first bad answer: %s", async (message, listener) => {
    await expect(withServer(listener, async (target) => load(target, 2, 60_000))).rejects.toThrow(message);
  });

  test("nobody there is told as such", async () => {
    const server = createTcpServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await promiseOfClose(server);
    const target = { url: `http://127.0.0.1:${port}/`, headers: {}, body: "" };
    await expect(load(target, 1, 10)).rejects.toThrow("ECONNREFUSED");
  });
});

async function promiseOfClose(server: ReturnType<typeof createTcpServer>): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}
