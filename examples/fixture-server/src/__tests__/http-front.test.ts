import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { startFixtureHttp } from "../http/start-fixture-http.js";
import { errorOf, legacy, META_FIELDS, modern, modernMessage, raw, resultOf, useFixtureHttp } from "./support.js";

const start = useFixtureHttp();

describe("who may talk to it", () => {
  test.each([["localhost"], ["LOCALHOST:1"], ["127.0.0.1:99999"], ["[::1]:8080"]])(
    "Host %s is this machine",
    async (host) => {
      const { url } = await start();
      expect((await modern(url, "tools/list", {}, { host })).status).toBe(200);
    },
  );

  test.each([["evil.example"], ["127.0.0.1.evil.example"], ["localhost@evil.example"], ["localhost:x"], ["[::2]"]])(
    "Host %s alone is refused",
    async (host) => {
      const { url } = await start();
      const answer = await modern(url, "tools/list", {}, { host });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).not.toHaveProperty("id");
    },
  );

  test("a request without Host is refused", async () => {
    const { port } = await start();
    const socket = connect(port, "127.0.0.1");
    socket.end("POST /mcp HTTP/1.0\r\n\r\n");
    const [head] = (await once(socket, "data")) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 403 /);
  });

  test.each([["http://localhost:3000"], ["https://127.0.0.1"], ["http://[::1]:5"]])(
    "Origin %s is this machine",
    async (origin) => {
      const { url } = await start();
      expect((await modern(url, "tools/list", {}, { origin })).status).toBe(200);
    },
  );

  test.each([["http://evil.example"], ["null"], ["http://localhost.evil.example"], ["file://localhost"], [""]])(
    "Origin %s alone is refused, on every method",
    async (origin) => {
      const { url } = await start();
      expect((await modern(url, "tools/list", {}, { origin })).status).toBe(403);
      expect((await raw(url, "GET", { origin })).status).toBe(403);
      expect((await raw(url, "DELETE", { origin })).status).toBe(403);
    },
  );
});

describe("what it takes", () => {
  const { headers } = modernMessage("tools/list", {});

  test.each([
    ["nothing", ""],
    ["half a message", '{"jsonrpc":"2.0",'],
    ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ])("%s is a parse error", async (_, body) => {
    const { url } = await start();
    const answer = await raw(url, "POST", headers, body);
    expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_700]);
  });

  test.each([["[]"], ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]'], ["7"], ['{"id":1,"method":"ping"}']])(
    "%s is no message",
    async (body) => {
      const { url } = await start();
      const answer = await raw(url, "POST", headers, body);
      expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_600]);
    },
  );

  test("the media types have to be named", async () => {
    const { url } = await start();
    expect((await modern(url, "tools/list", {}, { "content-type": "text/plain" })).status).toBe(415);
    expect((await modern(url, "tools/list", {}, { "content-type": undefined })).status).toBe(415);
    expect((await modern(url, "tools/list", {}, { "content-type": "Application/JSON; charset=utf-8" })).status).toBe(
      200,
    );
    expect((await modern(url, "tools/list", {}, { accept: "application/json" })).status).toBe(406);
    expect((await modern(url, "tools/list", {}, { accept: undefined })).status).toBe(406);
    expect((await modern(url, "tools/list", {}, { accept: "*/*" })).status).toBe(200);
  });

  test("a body may be as long as the bound and no longer", async () => {
    const { url } = await start({ maxBodyBytes: 2_000 });
    const { body } = modernMessage("tools/list", {});
    expect((await raw(url, "POST", headers, body.padEnd(2_000))).status).toBe(200);
    const answer = await raw(url, "POST", headers, body.padEnd(2_001));
    expect([answer.status, answer.headers.connection]).toEqual([413, "close"]);
  });

  test("only one path is the endpoint; a query does not matter", async () => {
    const { url } = await start();
    const { body } = modernMessage("tools/list", {});
    expect((await raw(`${url}?a=b`, "POST", headers, body)).status).toBe(200);
    for (const path of ["/", "/mcpx", "/mcp/x"]) {
      expect((await raw(new URL(path, url).href, "POST", headers, body)).status).toBe(404);
    }
  });

  test("a client that breaks off in the middle of its message harms nobody", async () => {
    const { url, port } = await start();
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    await modern(url, "tools/list");
    socket.resetAndDestroy();
    expect((await modern(url, "tools/list")).status).toBe(200);
  });
});

/** Calls a tool over a socket that never reads. */
async function stalledCall(port: number, params: JsonObject): Promise<Socket> {
  const { headers, body } = modernMessage("tools/call", params);
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.pause();
  const lines = Object.entries({ host: "localhost", ...headers, "content-length": String(Buffer.byteLength(body)) });
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`);
  return socket;
}

describe("how it lives", () => {
  test("it listens on 127.0.0.1 at the port asked for, and a taken port is an error", async () => {
    const { url, port } = await start();
    expect(url).toBe(`http://127.0.0.1:${port}/mcp`);
    await expect(startFixtureHttp({ port })).rejects.toThrow("EADDRINUSE");
  });

  test("close frees the port, twice is once, and a new server takes its place", async () => {
    const first = await start();
    await modern(first.url, "tools/list");
    await Promise.all([first.close(), first.close()]);
    await expect(modern(first.url, "tools/list")).rejects.toThrow("ECONNREFUSED");
    const second = await start({ port: first.port });
    expect((await modern(second.url, "tools/list")).status).toBe(200);
  });

  test("close cuts calls off and ends quiet streams", async () => {
    const server = await start();
    const pending = modern(server.url, "tools/call", { name: "slow", arguments: { ms: 60_000 } }).catch(
      () => "cut off",
    );
    await vi.waitFor(() => {
      expect(server.calls.inFlight).toBe(1);
    });
    await server.close();
    expect(await pending).toBe("cut off");
    await vi.waitFor(() => {
      expect(server.calls).toMatchObject({ cancelled: 1, inFlight: 0 });
    });
  });

  test("a reader that takes nothing is cut off, and its call cancelled", async () => {
    const server = await start();
    const _meta = { ...META_FIELDS, progressToken: "t".repeat(100_000) };
    const stalled = await stalledCall(server.port, { name: "slow", arguments: { ms: 1, steps: 2_000 }, _meta });
    await vi.waitFor(
      () => {
        expect(server.calls).toMatchObject({ cancelled: 1, inFlight: 0 });
      },
      { timeout: 10_000 },
    );
    stalled.destroy();
  });

  test("a reader that takes nothing holds the close up no longer than its grace", async () => {
    const timers = new ManualTime();
    const server = await start({ timers });
    const stalled = await stalledCall(server.port, { name: "large", arguments: { bytes: 64 * 1024 * 1024 } });
    await vi.waitFor(() => {
      expect(server.calls.completed).toBe(1);
    });
    const closed = server.close();
    await timers.advance(999);
    expect(timers.pending).toBe(1);
    await timers.advance(1);
    await closed;
    expect(timers.pending).toBe(0);
    stalled.destroy();
  });

  test("the delay holds back every answer, and time is the caller's (R17)", async () => {
    const timers = new ManualTime();
    const { url } = await start({ delayMs: 5_000, timers });
    const answers = [modern(url, "server/discover"), legacy(url, { id: 1, method: "initialize", params: {} })];
    await vi.waitFor(() => {
      expect(timers.pending).toBe(2);
    });
    await timers.advance(5_000);
    const [discovered, initialized] = await Promise.all(answers);
    expect(resultOf(discovered ?? { text: "{}" })["resultType"]).toBe("complete");
    expect(errorOf(initialized ?? { text: "{}" })["code"]).toBe(-32_602);
  });

  test("the list's own delay comes on top of it, and holds back no other answer", async () => {
    const timers = new ManualTime();
    const { url } = await start({ delayMs: 100, listDelayMs: 500, timers });
    const answers = [modern(url, "server/discover"), modern(url, "tools/list")];
    await vi.waitFor(() => {
      expect(timers.delays).toEqual([100, 600]);
    });
    await timers.advance(600);
    for (const answer of await Promise.all(answers)) expect(resultOf(answer)["resultType"]).toBe("complete");
  });

  test("two servers in one process know nothing of each other", async () => {
    const [one, two] = [await start(), await start()];
    await modern(one.url, "tools/call", { name: "toggle", arguments: { name: "new", present: true } });
    const names = async (url: string): Promise<string[]> =>
      (resultOf(await modern(url, "tools/list"))["tools"] as { name: string }[]).map(({ name }) => name);
    expect(await names(one.url)).toContain("new");
    expect(await names(two.url)).not.toContain("new");
    expect(two.calls.started).toBe(0);
  });

  test("the list is the same bytes from two servers", async () => {
    const [one, two] = [await start({ extraTools: 50 }), await start({ extraTools: 50 })];
    expect((await modern(one.url, "tools/list")).text).toBe((await modern(two.url, "tools/list")).text);
  });
});
