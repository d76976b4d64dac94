import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { GatewayError } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { KeyRing } from "../key-ring.js";
import { readServiceMap } from "../read-service-map.js";
import { serveServiceMap, type ServedServiceMap, type ServeServiceMapOptions } from "../serve-service-map.js";
import { connectorNamed, manifestFile, manifestWith } from "./publisher-fixture.js";

const SECRET = "correct horse battery staple, long enough";
const API_KEY = "an-api-key";
const PATH = "/v1/connectors/service-map";

async function served(options: Partial<ServeServiceMapOptions> = {}) {
  const { file, write } = await manifestFile();
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const key = () => ({ key: SECRET });
  const map = await serveServiceMap({ manifestFile: file, key, clock: time, timers: time, logger, ...options });
  onTestFinished(async () => {
    await map.close();
    expect(time.pending).toBe(0);
  });
  return { map, write, time };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(map: ServedServiceMap, options: RequestOptions & { readonly send?: string } = {}): Promise<Answer> {
  const { send, ...rest } = options;
  const asked = httpRequest({ host: "127.0.0.1", port: map.port, path: PATH, agent: false, ...rest }).end(send);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

async function rawSocket(map: ServedServiceMap): Promise<Socket> {
  const socket = connect(map.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

describe("R3b: GET /v1/connectors/service-map", () => {
  test("R2: answers with a map that verifies, a strong tag and the right headers", async () => {
    const { map, time } = await served();
    expect(map.url).toBe(`http://127.0.0.1:${map.port}${PATH}`);
    const { status, headers, body } = await ask(map);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-cache",
      "content-length": String(Buffer.byteLength(body)),
      etag: `"${createHash("sha256").update(body).digest("hex")}"`,
    });
    expect(readServiceMap(body, { keys: KeyRing.fromSecret(SECRET), nowMs: time.now() })).toMatchObject({ ok: true });
  });

  test("HEAD answers the same without a body; a query changes nothing", async () => {
    const { map } = await served();
    const got = await ask(map);
    const head = await ask(map, { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers.etag).toBe(got.headers.etag);
    expect(head.headers["content-length"]).toBe(got.headers["content-length"]);
    expect((await ask(map, { path: `${PATH}?x=1` })).body).toBe(got.body);
  });

  test("If-None-Match with the tag is answered by 304 with no body, until the map changes", async () => {
    const { map, write, time } = await served();
    const etag = String((await ask(map)).headers.etag);
    for (const field of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const answer = await ask(map, { headers: { "If-None-Match": field } });
      expect(answer).toMatchObject({ status: 304, body: "" });
      expect(answer.headers).toMatchObject({ etag, "cache-control": "no-cache" });
    }
    expect((await ask(map, { headers: { "If-None-Match": '"x"' } })).status).toBe(200);
    await write(manifestWith({ connectors: [connectorNamed("wiki")] }));
    await map.reload();
    const changed = await ask(map, { headers: { "If-None-Match": etag } });
    expect(changed.status).toBe(200);
    expect(JSON.parse(changed.body)).toMatchObject({ connectors: [{ id: "wiki" }] });
    await time.advance(150_000);
    const resigned = await ask(map, { headers: { "If-None-Match": String(changed.headers.etag) } });
    expect(resigned.status).toBe(200);
  });

  test("a bad manifest is told by reload, and the last good map goes on being served", async () => {
    const { map, write } = await served();
    const before = await ask(map);
    await write("{");
    await expect(map.reload()).rejects.toThrow("is not JSON");
    expect((await ask(map)).body).toBe(before.body);
  });

  test("other methods, other paths and the livez probe", async () => {
    const { map } = await served({ apiKey: API_KEY });
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect(await ask(map, { method })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
    for (const path of ["/", `${PATH}/`, "/v1/connectors", "/V1/connectors/service-map", "//livez", "*"]) {
      expect((await ask(map, { path })).status).toBe(404);
    }
    expect(await ask(map, { path: "/livez" })).toMatchObject({ status: 200, body: "ok\n" });
    expect(await ask(map, { path: "/livez", method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  test("a body that nobody asked for is not read, and ends its connection", async () => {
    const { map } = await served();
    const posted = await ask(map, { method: "POST", headers: { "Content-Length": 5 }, send: "hello" });
    expect(posted).toMatchObject({ status: 405, headers: { connection: "close" } });
    const chunked = await ask(map, { method: "GET", headers: { "Transfer-Encoding": "chunked" }, send: "hello" });
    expect(chunked).toMatchObject({ status: 200, headers: { connection: "close" } });
  });
});

describe("R3b: the API key", () => {
  test.each<[string, RequestOptions["headers"] | string[], number]>([
    ["none", {}, 401],
    ["another one", { Authorization: "Bearer wrong" }, 401],
    ["a longer one", { Authorization: `Bearer ${API_KEY}x` }, 401],
    ["its beginning", { Authorization: `Bearer ${API_KEY.slice(0, -1)}` }, 401],
    ["an empty one", { Authorization: "Bearer " }, 401],
    ["it without its scheme", { Authorization: API_KEY }, 401],
    ["another scheme", { Authorization: `Basic ${API_KEY}` }, 401],
    ["it twice", ["Host", "x", "Authorization", `Bearer ${API_KEY}`, "Authorization", `Bearer ${API_KEY}`], 401],
    ["it after another", ["Host", "x", "Authorization", "Bearer wrong", "Authorization", `Bearer ${API_KEY}`], 401],
    ["it", { Authorization: `Bearer ${API_KEY}` }, 200],
    ["it with the scheme in small letters", { Authorization: `bearer  ${API_KEY}` }, 200],
  ])("%s", async (_name, headers, status) => {
    const { map } = await served({ apiKey: API_KEY });
    const answer = await ask(map, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(answer.body.includes("connectors")).toBe(status === 200);
  });

  test("a tag is no way round it, and without one set nobody is asked", async () => {
    const { map } = await served({ apiKey: API_KEY });
    expect((await ask(map, { headers: { "If-None-Match": "*" } })).status).toBe(401);
    const { map: open } = await served();
    expect((await ask(open, { headers: { Authorization: "Bearer anything" } })).status).toBe(200);
  });
});

describe("R3b: load, slow peers and the end", () => {
  test("2,000 requests over 50 connections are all answered with the same bytes", async () => {
    const { map } = await served();
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    onTestFinished(() => agent.destroy());
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => ask(map, { agent })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  });

  test("whoever dawdles over the headers or the body is cut off, and others are served meanwhile", async () => {
    const { map } = await served({ headersMs: 100 });
    const slow = await Promise.all(Array.from({ length: 20 }, () => rawSocket(map)));
    const closed = slow.map((socket) =>
      once(
        socket.resume().on("error", () => {}),
        "close",
      ),
    );
    for (const [at, socket] of slow.entries()) {
      socket.write(
        at % 2 === 0
          ? `GET ${PATH} HTTP/1.1\r\nHost: x\r\n`
          : `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n`,
      );
    }
    expect((await ask(map)).status).toBe(200);
    await Promise.all(closed);
  });

  test("whoever asks and does not take the answers is cut off after 30 s (R17: by the clock that was given)", async () => {
    const { map, write, time } = await served();
    await write(manifestWith({ connectors: [connectorNamed("docs", { description: "x".repeat(900_000) })] }));
    await map.reload();
    const socket = await rawSocket(map);
    const closed = once(
      socket.on("error", () => {}),
      "close",
    );
    // More than the buffers of both ends hold together; nothing of it is read.
    socket.pause().write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(64));
    const before = time.pending;
    await vi.waitFor(async () => {
      await time.advance(0);
      expect(time.pending).toBeGreaterThan(before);
    });
    await time.advance(30_000);
    socket.resume();
    await closed;
    expect(socket.bytesRead).toBeLessThan(64 * 900_000);
    expect((await ask(map)).status).toBe(200);
  });

  test("headers beyond 16 KiB are refused", async () => {
    const { map } = await served();
    expect((await ask(map, { headers: { "X-Long": "x".repeat(17 * 1024) } })).status).toBe(431);
  });

  test("closing ends idle and half-open connections alike, and twice is once", async () => {
    const { map, time } = await served();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await ask(map, { agent });
    const half = await rawSocket(map);
    half
      .on("error", () => {})
      .resume()
      .write(`GET ${PATH} HTTP/1.1\r\n`);
    const silent = await rawSocket(map);
    silent.on("error", () => {}).resume();
    const gone = [once(half, "close"), once(silent, "close")];
    const closing = map.close();
    expect(map.close()).toBe(closing);
    await time.advance(1_000);
    await closing;
    await Promise.all(gone);
    await expect(ask(map)).rejects.toThrow("ECONNREFUSED");
  });

  test("a port that is taken, and a host that is not ours, are told with what to do; nothing is left running", async () => {
    const { map } = await served();
    const refusals = [
      { port: map.port, message: `cannot listen on 127.0.0.1:${map.port}: it is taken` },
      { host: "192.0.2.1", message: "this machine has no such address; choose another with --host" },
      { host: "no-such-host.invalid", message: "cannot listen on no-such-host.invalid:0: " },
    ];
    for (const { message, ...where } of refusals) {
      const time = new ManualTime();
      const error: unknown = await served({ ...where, timers: time }).catch((thrown: unknown) => thrown);
      expect(GatewayError.is(error) && error.code).toBe("USER_INPUT");
      expect(String(error)).toContain(message);
      expect(time.pending).toBe(0);
    }
  });

  test("an IPv6 address stands in brackets in the URL", async () => {
    const { map } = await served({ host: "::1" });
    expect(map.url).toBe(`http://[::1]:${map.port}${PATH}`);
    expect((await ask(map, { host: "::1" })).status).toBe(200);
  });
});
