import { describe, expect, test, vi } from "vitest";
import { RawConnection, send, startServer } from "../../__tests__/support/http.js";
import { readBody } from "../read-body.js";

/** A server that reads bodies of at most 10 bytes and keeps what came of each, and how often it was told. */
async function startReader(maxBytes = 10) {
  const outcomes: string[] = [];
  const { port } = await startServer((request, response) => {
    readBody(request, maxBytes, (failure, body) => {
      outcomes.push(failure ?? body.toString("utf8"));
      if (failure === "broken") return;
      response.setHeader("connection", "close");
      response.end(failure ?? `${body.length}`);
    });
  });
  return { port, outcomes };
}

const HEAD = "POST / HTTP/1.1\r\nHost: localhost\r\n";

describe("reading a request's body", () => {
  test.each([
    ["", "0"],
    ["x", "1"],
    ["0123456789", "10"],
    ["ä", "2"],
  ])("reads %j to its end", async (body, length) => {
    const { port, outcomes } = await startReader();
    expect((await send({ port, method: "POST", body })).text).toBe(length);
    expect(outcomes).toEqual([body]);
  });

  test("puts a body together that came in pieces, wherever they were cut", async () => {
    const { port, outcomes } = await startReader();
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    await vi.waitFor(() => expect(connection.socket.bytesWritten).toBeGreaterThan(0));
    connection.write("1\r\nd\r\n");
    connection.write("2\r\nef\r\n0\r\n\r\n");
    await connection.untilClosed();
    expect(outcomes).toEqual(["abcdef"]);
  });

  test("refuses a body that says it is too large before a byte of it is here", async () => {
    const { port, outcomes } = await startReader();
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}Content-Length: 11\r\n\r\n`);
    expect(await connection.until(/too-large/)).toMatch(/^HTTP\/1\.1 200 /);
    connection.close();
    expect(outcomes).toEqual(["too-large"]);
  });

  test("refuses a body without a length as soon as it is too large, once, however much follows", async () => {
    const { port, outcomes } = await startReader();
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (let piece = 0; piece < 20; piece += 1) connection.write("4\r\nabcd\r\n");
    await connection.until(/too-large/);
    connection.close();
    expect(outcomes).toEqual(["too-large"]);
  });

  test.each([
    ["in the middle of a body with a length", "Content-Length: 10\r\n\r\nabc"],
    ["in the middle of a chunked body", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ["before its first byte", "Content-Length: 10\r\n\r\n"],
  ])("a client that goes away %s is a broken body, told once", async (_when, rest) => {
    const { port, outcomes } = await startReader();
    const connection = await RawConnection.open(port);
    let arrived = 0;
    connection.socket.once("drain", () => (arrived += 1));
    await new Promise<void>((resolve) => {
      connection.socket.write(HEAD + rest, () => {
        resolve();
      });
    });
    connection.close();
    await vi.waitFor(() => expect(outcomes).toEqual(["broken"]));
    expect(arrived).toBe(0);
  });

  test("a body with a length that lies is broken", async () => {
    const { port, outcomes } = await startReader();
    const connection = await RawConnection.open(port);
    connection.socket.end(`${HEAD}Content-Length: 9\r\n\r\nabc`);
    await vi.waitFor(() => expect(outcomes).toEqual(["broken"]));
  });
});
