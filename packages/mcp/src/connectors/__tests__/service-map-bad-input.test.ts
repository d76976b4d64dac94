import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createGzip, gzipSync } from "node:zlib";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { KeyRing } from "@cortex-os/protocol";
import { describe, expect, test } from "vitest";
import { startServer } from "../../__tests__/support/http.js";
import type { ManifestRule } from "../connector-manifest-error.js";
import type { ConnectorServiceMapOptions } from "../service-map.js";
import {
  connectorOf,
  mapUrl,
  NOW,
  refusal,
  signedMap,
  startPublisher,
  startRawPublisher,
  testAgent,
} from "./service-map-set-up.js";

const sends =
  (body: string | Uint8Array, status = 200, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  };

const text = (map: object): string => JSON.stringify(map);
const iso = (ms: number): string => new Date(ms).toISOString();
const GOOD = text(signedMap());

/** The most that a publisher of an endless body gets rid of. */
const TWO_MIB = 2 * 1_048_576;

const ways: readonly [string, () => Partial<ConnectorServiceMapOptions>][] = [
  ["the global fetch", () => ({})],
  ["an agent of undici's", () => ({ agent: testAgent() })],
];

describe.each(ways)("R2, R3: bad input through %s", (_way, way) => {
  const { signature: _signature, ...unsigned } = signedMap();

  test.each<[string, RequestListener, ManifestRule, RegExp]>([
    ["an unsigned map", sends(text(unsigned)), "unsigned", /signature: is missing/],
    ["an empty signature", sends(text({ ...unsigned, signature: "" })), "unsigned", /signature: is missing/],
    ["a map that was changed", sends(text({ ...signedMap(), brand: "other" })), "signature", /does not match/],
    ["a map signed with another key", sends(text(signedMap({}, "k".repeat(40)))), "signature", /does not match/],
    ["a map that names an unknown key", sends(text(signedMap({ kid: "k9" }))), "unknown-key", /kid: (?!.*k9)/],
    ["an expired map", sends(text(signedMap({ generatedAt: iso(NOW - 300_000) }))), "expired", /expired 0 s ago/],
    ["a map from the future", sends(text(signedMap({ generatedAt: iso(NOW + 61_000) }))), "future", /61 s ahead/],
    ["a map that wants to live too long", sends(text(signedMap({ ttlSeconds: 86_401 }))), "ttl", /86400/],
    [
      "a map with one bad connector",
      sends(text(signedMap({ connectors: [connectorOf({}), connectorOf({ id: "b", endpoint: "ftp://b" })] }))),
      "schema",
      /connectors\[1\]\.endpoint/,
    ],
    ["JSON that is no map", sends('"hello"'), "json", /not a JSON object/],
    ["what is not JSON", sends("hello"), "json", /./],
    ["HTML with 200", sends("<!doctype html>", 200, { "content-type": "text/html" }), "json", /^(?!.*text)/],
    ["a truncated map", sends(GOOD.slice(0, -20)), "json", /./],
    ["an empty body", sends(""), "json", /./],
    ["what is not UTF-8", sends(Buffer.from([0x22, 0xff, 0x22])), "encoding", /not UTF-8/],
    ["nothing at all (204)", sends("", 204), "http-status", /answered HTTP 204/],
    ["not found", sends(GOOD, 404), "http-status", /answered HTTP 404/],
    ["a failure of the publisher", sends(GOOD, 500), "http-status", /answered HTTP 500/],
    ["a refused API key", sends("{}", 401), "http-status", /answered HTTP 401/],
    ["a part of a map (206)", sends(GOOD, 206), "http-status", /answered HTTP 206/],
    ["304 that nobody asked for", sends("", 304, { etag: '"1"' }), "not-modified", /answered 304/],
    ["what is no gzip", sends(GOOD, 200, { "content-encoding": "gzip" }), "encoding", /cannot be decompressed/],
    ["a coding that nobody knows", sends(gzipSync(GOOD), 200, { "content-encoding": "x" }), "encoding", /not UTF-8/],
  ])("%s is refused, with the URL and the rule in the message", async (_name, listener, rule, reason) => {
    const error = await refusal(rule, { serviceMapUrl: await startPublisher(listener), ...way() });
    expect(error.reason).toMatch(reason);
  });

  test("a map whose length says that it is too large is refused before it is read", async () => {
    let written = 0;
    const serviceMapUrl = await startPublisher((_request, response) => {
      response.writeHead(200, { "content-length": String(64 * 1_048_576) });
      response.write("{");
      written += 1;
    });
    const error = await refusal("size", { serviceMapUrl, ...way() });
    expect(error.reason).toBe("is larger than 1048576 bytes");
    expect(written).toBe(1);
  });

  test("a map in chunks that is one byte too large is refused, and one of exactly 1 MiB is read", async () => {
    const padded = (bytes: number): string => GOOD.padEnd(bytes, " ");
    const chunked =
      (body: string): RequestListener =>
      (_request, response) => {
        response.write(body.slice(0, 1_000));
        response.end(body.slice(1_000));
      };
    const tooLarge = await startPublisher(chunked(padded(1_048_577)));
    await refusal("size", { serviceMapUrl: tooLarge, ...way() });
    const damaged = padded(1_048_576).replace('"brand"', '"Brand"');
    await refusal("signature", { serviceMapUrl: await startPublisher(chunked(damaged)), ...way() });
  });

  test("an endless body is cut at 1 MiB", async () => {
    let sent = 0;
    const serviceMapUrl = await startRawPublisher((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
      const more = (): void => {
        if (socket.destroyed) return;
        socket.write(" ".repeat(16_384), () => {
          sent += 16_384;
          setImmediate(more);
        });
      };
      more();
    });
    await refusal("size", { serviceMapUrl, ...way() });
    expect(sent).toBeGreaterThan(1_000_000);
    expect(sent).toBeLessThan(TWO_MIB);
  });

  test("a compressed bomb without end is cut at 1 MiB of what comes out of it", async () => {
    let sent = 0;
    const serviceMapUrl = await startPublisher((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      const zeros = Buffer.alloc(65_536);
      const gzip = createGzip();
      gzip.on("data", (chunk: Buffer) => {
        sent += chunk.length;
        response.write(chunk);
      });
      const more = (): void => {
        if (response.destroyed) gzip.destroy();
        else gzip.write(zeros, more);
      };
      more();
    });
    await refusal("size", { serviceMapUrl, ...way() });
    expect(sent).toBeLessThan(1_048_576);
  });

  test.each([
    ["one coding", 1],
    ["two codings", 2],
    ["five codings", 5],
  ])("100 MB of zeros under %s are refused", async (_name, times) => {
    let bomb: Buffer = gzipSync(Buffer.alloc(100_000_000));
    for (let n = 1; n < times; n += 1) bomb = gzipSync(bomb);
    const encoding = Array.from({ length: times }, () => "gzip").join(", ");
    const serviceMapUrl = await startPublisher(sends(bomb, 200, { "content-encoding": encoding }));
    await refusal("size", { serviceMapUrl, ...way() });
  });

  test("R3: silence is cut after five seconds, and the publisher sees it", async () => {
    const time = new ManualTime();
    const serviceMapUrl = await startRawPublisher(() => void time.advance(5_000));
    const error = await refusal("timeout", { serviceMapUrl, timers: time, ...way() });
    expect(error.reason).toBe("no whole answer within 5000 ms");
    expect(time.pending).toBe(0);
  });

  test("R3: a body that drips for ever is cut by the same time", async () => {
    const time = new ManualTime();
    let dripped = 0;
    const serviceMapUrl = await startRawPublisher((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
      const dripping = setInterval(() => {
        if (socket.destroyed) {
          clearInterval(dripping);
          return;
        }
        socket.write(" ");
        dripped += 1;
        if (dripped === 5) void time.advance(5_000);
      }, 2);
    });
    await refusal("timeout", { serviceMapUrl, timers: time, ...way() });
    expect(dripped).toBeGreaterThanOrEqual(5);
  });

  test.each([301, 302, 303, 307, 308])("a redirect (%d) is not followed: its target gets nothing", async (status) => {
    let asked = 0;
    const target = await startServer((_request, response) => {
      asked += 1;
      response.end(GOOD);
    });
    const location = `${mapUrl(target.port)}&hidden=1`;
    const serviceMapUrl = await startPublisher(sends("", status, { location }));
    const error = await refusal("redirect", { serviceMapUrl, ...way() });
    expect(error.message).not.toContain("hidden");
    expect(asked).toBe(0);
  });

  test("a host name that does not exist", async () => {
    const error = await refusal("network", { serviceMapUrl: "http://name.invalid/map?token=1", ...way() });
    expect(error.reason).toMatch(/^its host name (?:is not known|cannot be looked up).* \((?:ENOTFOUND|EAI_AGAIN)\)$/);
  });

  test("a port where nothing listens", async () => {
    const { server, port } = await startServer(() => {});
    server.close();
    await once(server, "close");
    const error = await refusal("network", { serviceMapUrl: mapUrl(port), ...way() });
    expect(error.reason).toBe("nothing listens there (ECONNREFUSED)");
    expect(error.detail).toContain("ECONNREFUSED");
  });

  test.each([
    ["whose length was told", `Content-Length: ${GOOD.length}\r\n\r\n${GOOD.slice(0, 100)}`],
    ["in chunks", `Transfer-Encoding: chunked\r\n\r\n64\r\n${GOOD.slice(0, 100)}\r\n`],
    ["before its headers are whole", "Content-Le"],
  ])("a connection that is cut in an answer %s", async (_name, rest) => {
    const serviceMapUrl = await startRawPublisher((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${rest}`);
    });
    const error = await refusal("network", { serviceMapUrl, ...way() });
    expect(error.reason).toMatch(/the connection was cut|the exchange failed \(/);
  });

  test("an answer that is no HTTP", async () => {
    const serviceMapUrl = await startRawPublisher((socket) => socket.end("SSH-2.0-OpenSSH_9.7\r\n"));
    await refusal("network", { serviceMapUrl, ...way() });
  });

  test("a ring without keys: nothing is even asked for", async () => {
    const serviceMapUrl = await startPublisher(() => {
      throw new Error("it was asked");
    });
    const keys = KeyRing.fromJwks({ keys: [] });
    const error = await refusal("request", { serviceMapUrl, keys, ...way() });
    expect(error.reason).toBe("there is no key to verify its signature with");
  });
});
