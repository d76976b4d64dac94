import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { setImmediate } from "node:timers/promises";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { KeyRing } from "@cortex-os/protocol";
import { describe, expect, test, vi } from "vitest";
import { startServer } from "../../__tests__/support/http.js";
import { MapValidators } from "../map-validators.js";
import { loadConnectorServiceMap } from "../service-map.js";
import {
  API_KEY,
  clock,
  EXPIRES_AT,
  load,
  mapUrl,
  NOW,
  refusal,
  SIGNATURE_KEY,
  signedMap,
  startPublisher,
  testAgent,
} from "./service-map-set-up.js";

const GOOD = JSON.stringify(signedMap());
const OTHER_KEY = "another signature key of the same length";

/** A publisher of the maps that `current` names, with an `ETag`, that remembers what it was asked. */
async function publisher(current: () => { readonly body: string; readonly etag: string }) {
  const asked: IncomingHttpHeaders[] = [];
  const sockets = new Set<unknown>();
  const listener: RequestListener = (request, response) => {
    asked.push(request.headers);
    sockets.add(request.socket);
    const { body, etag } = current();
    response.setHeader("etag", etag);
    response.setHeader("content-type", "application/json");
    if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.end(body);
  };
  return { asked, sockets, serviceMapUrl: await startPublisher(listener) };
}

describe("R3: a good map", () => {
  test("R3, R19 valid: it is verified and given as it came, fresh until generatedAt + TTL", async () => {
    const { serviceMapUrl } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const loaded = await load({ serviceMapUrl });
    expect(loaded.payload).toEqual(signedMap());
    expect(loaded.expiresAtMs).toBe(EXPIRES_AT);
    expect(loaded.received).toMatchObject({ body: GOOD, etag: '"1"', notModified: false });
    expect(loaded.received?.map.digest).toMatch(/^[\da-f]{64}$/);
  });

  test("R3, R19 empty connectors: a map of no connectors is a map", async () => {
    const map = signedMap({ connectors: [] });
    const serviceMapUrl = await startPublisher((_request, response) => response.end(JSON.stringify(map)));
    const loaded = await load({ serviceMapUrl });
    expect(loaded.payload.connectors).toEqual([]);
    expect(loaded.received).not.toHaveProperty("etag");
  });

  test("R2: a key ring wins over the signature key, and tells which key it was", async () => {
    const key = Buffer.from(OTHER_KEY).toString("base64url");
    const keys = KeyRing.fromJwks({ keys: [{ kty: "oct", alg: "HS256", kid: "k2", k: key }] });
    const body = JSON.stringify(signedMap({ kid: "k2" }, OTHER_KEY));
    const { serviceMapUrl } = await publisher(() => ({ body, etag: '"1"' }));
    const loaded = await load({ serviceMapUrl, keys });
    expect(loaded.received?.map.kid).toBe("k2");
  });

  test.each(["application/json; charset=utf-8", "application/vnd.map+json", undefined])(
    "R3: the content type %s is not remarked upon",
    async (type) => {
      const logger = new RecordingLogger();
      const serviceMapUrl = await startPublisher((_request, response) => {
        if (type !== undefined) response.setHeader("content-type", type);
        response.end(GOOD);
      });
      await load({ serviceMapUrl, logger });
      expect(logger.lines).toEqual([]);
    },
  );

  test.each([
    ["text/plain", "text/plain"],
    ["text/html; charset=utf-8", "text/html"],
    ["a b c", "something that is no media type"],
  ])("R3: a good map that comes as %s is accepted with a warning", async (type, contentType) => {
    const logger = new RecordingLogger();
    const serviceMapUrl = await startPublisher((_request, response) => {
      response.setHeader("content-type", type).end(GOOD);
    });
    await expect(load({ serviceMapUrl, logger })).resolves.toMatchObject({ expiresAtMs: EXPIRES_AT });
    await load({ serviceMapUrl });
    const url = serviceMapUrl.replace(/\?.*/, "");
    const message = "The service map is good but does not come as application/json";
    expect(logger.lines).toEqual([{ level: "warn", fields: { brand: "brAInwav", url, contentType }, message }]);
  });
});

describe("R3: what is asked", () => {
  test("R3: Accept, Authorization and Cache-Control; the key only when there is one", async () => {
    const { serviceMapUrl, asked } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    await load({ serviceMapUrl });
    await load({ serviceMapUrl, apiKey: "" });
    const common = { accept: "application/json", "cache-control": "no-cache" };
    expect(asked).toMatchObject([{ ...common, authorization: `Bearer ${API_KEY}` }, common]);
    expect(asked[1]).not.toHaveProperty("authorization");
  });

  test.each(["global", "agent"])("R6: several loads go over one connection that is kept alive: %s", async (way) => {
    const { serviceMapUrl, asked, sockets } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const options = { serviceMapUrl, ...(way === "agent" ? { agent: testAgent() } : {}) };
    const validators = new MapValidators();
    for (let n = 0; n < 5; n += 1) {
      await load(options);
      await setImmediate();
      await load({ ...options, validators });
      await setImmediate();
    }
    expect([asked.length, sockets.size]).toEqual([10, 1]);
  });
});

describe("R3: the same URL again", () => {
  test("R3, R19 same URL again: the ETag is sent back, and a 304 keeps the map and renews its TTL", async () => {
    const { serviceMapUrl, asked } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    // Its own time is over by then: the 304 says that it is still the map.
    const later = { now: () => NOW + 3_600_000 };
    const renewed = await load({ serviceMapUrl, validators, clock: later });
    expect(asked.map((headers) => headers["if-none-match"])).toEqual([undefined, '"1"']);
    expect(renewed.expiresAtMs).toBe(NOW + 3_600_000 + 300_000);
    expect(renewed.payload).toEqual(signedMap());
    expect(renewed.received).toMatchObject({ body: GOOD, etag: '"1"', notModified: true });
  });

  test("R3, R19 ETag mismatch: the new map is taken, and its ETag from then on", async () => {
    const second = JSON.stringify(signedMap({ id: "01K1HGWZ00ABCDEFGHJKMNPQRT" }));
    let now = { body: GOOD, etag: '"1"' };
    const { serviceMapUrl, asked } = await publisher(() => now);
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    now = { body: second, etag: 'W/"2"' };
    await expect(load({ serviceMapUrl, validators })).resolves.toMatchObject({ received: { notModified: false } });
    const third = await load({ serviceMapUrl, validators });
    expect(third).toMatchObject({ payload: { id: "01K1HGWZ00ABCDEFGHJKMNPQRT" }, received: { notModified: true } });
    expect(asked.map((headers) => headers["if-none-match"])).toEqual([undefined, '"1"', 'W/"2"']);
  });

  test("R2, R3: a map whose key is gone is not renewed by a 304: it is forgotten, and the publisher asked anew", async () => {
    const { serviceMapUrl, asked } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    await refusal("signature", { serviceMapUrl, validators, signatureKey: OTHER_KEY });
    await load({ serviceMapUrl, validators });
    expect(asked.map((headers) => headers["if-none-match"])).toEqual([undefined, undefined, undefined]);
  });

  test("R2, R3: a publisher that says 304 all the same cannot bring back a map whose key is gone", async () => {
    let status = 200;
    const serviceMapUrl = await startPublisher((_request, response) => {
      response.writeHead(status, { etag: '"1"' }).end(status === 200 ? GOOD : "");
    });
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    status = 304;
    await refusal("not-modified", { serviceMapUrl, validators, signatureKey: OTHER_KEY });
    await refusal("not-modified", { serviceMapUrl, validators });
  });

  test.each([
    ['"1"', '"2"', true],
    ['W/"1"', '"2"', true],
    ['"1"', '"1"', false],
    ['W/"1"', '"1"', false],
    ['"1"', 'W/"1"', false],
    ['"1"', undefined, false],
  ])("R3: a map sent with the ETag %s and a 304 with %s: refused is %s", async (sent, answered, refused) => {
    const asked: unknown[] = [];
    const serviceMapUrl = await startPublisher((request, response) => {
      asked.push(request.headers["if-none-match"]);
      if (asked.length !== 2) response.setHeader("etag", sent).end(GOOD);
      else response.writeHead(304, answered === undefined ? {} : { etag: answered }).end();
    });
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    if (refused) {
      const error = await refusal("not-modified", { serviceMapUrl, validators });
      expect(error.reason).toBe("answered 304 about another map than the one that was named to it");
    } else {
      expect(await load({ serviceMapUrl, validators })).toMatchObject({ received: { etag: sent, notModified: true } });
    }
    await load({ serviceMapUrl, validators });
    expect(asked).toEqual([undefined, sent, refused ? undefined : sent]);
  });

  test("R3: a 304 needs no second look at a map that the same keys vouched for", async () => {
    const { serviceMapUrl } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const validators = new MapValidators();
    const { received } = await load({ serviceMapUrl, validators });
    const again = await load({ serviceMapUrl, validators });
    expect(again.received?.map).toBe(received?.map);
    const ring = KeyRing.fromJwks({
      keys: [SIGNATURE_KEY, OTHER_KEY].map((key, n) => ({
        ...{ kty: "oct", alg: "HS256", kid: `k${n}` },
        k: Buffer.from(key).toString("base64url"),
      })),
    });
    const byOthers = await load({ serviceMapUrl, validators, keys: ring });
    expect(byOthers.received).toMatchObject({ notModified: true, map: { kid: "k0" } });
  });

  test("R3: what is remembered belongs to one URL and one API key", async () => {
    const { serviceMapUrl, asked } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    await load({ serviceMapUrl: `${serviceMapUrl}&tenant=2`, validators });
    await load({ serviceMapUrl, validators, apiKey: "another-key" });
    expect(asked.map((headers) => headers["if-none-match"])).toEqual([undefined, undefined, undefined]);
  });

  test("R3: a refused answer leaves what is remembered; a good one without an ETag replaces it", async () => {
    const answers: RequestListener[] = [
      (_request, response) => response.setHeader("etag", '"1"').end(GOOD),
      (_request, response) => response.setHeader("etag", '"2"').end("{"),
      (_request, response) => response.end(GOOD),
      (_request, response) => response.end(GOOD),
    ];
    const asked: unknown[] = [];
    const serviceMapUrl = await startPublisher((request, response) => {
      asked.push(request.headers["if-none-match"]);
      answers.shift()?.(request, response);
    });
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    await refusal("json", { serviceMapUrl, validators });
    await load({ serviceMapUrl, validators });
    await load({ serviceMapUrl, validators });
    expect(asked).toEqual([undefined, '"1"', '"1"', undefined]);
  });

  test("R3: an ETag that no request may carry is not remembered", async () => {
    const asked: unknown[] = [];
    const serviceMapUrl = await startPublisher((request, response) => {
      asked.push(request.headers["if-none-match"]);
      response.setHeader("etag", `"${"x".repeat(2_000)}"`).end(GOOD);
    });
    const validators = new MapValidators();
    await load({ serviceMapUrl, validators });
    await load({ serviceMapUrl, validators });
    expect(asked).toEqual([undefined, undefined]);
  });

  test("R3: without a memory of its own a caller has the process's", async () => {
    const { serviceMapUrl } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    const options = { serviceMapUrl, signatureKey: SIGNATURE_KEY, clock };
    await loadConnectorServiceMap(options);
    await expect(loadConnectorServiceMap(options)).resolves.toMatchObject({ received: { notModified: true } });
  });
});

describe("R3: calling it off", () => {
  test("R3, R19 abort: the request ends at once, here and at the publisher", async () => {
    const controller = new AbortController();
    const closed = vi.fn<() => void>();
    const { port } = await startServer((request) => {
      request.socket.once("close", closed);
      controller.abort(new Error("not to be shown"));
    });
    const error = await refusal("aborted", { serviceMapUrl: mapUrl(port), signal: controller.signal });
    expect(error.message).not.toContain("not to be shown");
    await vi.waitFor(() => {
      expect(closed).toHaveBeenCalledTimes(1);
    });
  });

  test("R3: called off before, nothing is asked; called off afterwards, nothing happens", async () => {
    const { serviceMapUrl, asked } = await publisher(() => ({ body: GOOD, etag: '"1"' }));
    await refusal("aborted", { serviceMapUrl, signal: AbortSignal.abort() });
    expect(asked).toEqual([]);
    const controller = new AbortController();
    const { payload } = await load({ serviceMapUrl, signal: controller.signal });
    controller.abort();
    expect(payload).toEqual(signedMap());
  });
});
