import { Readable } from "node:stream";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ManifestRule } from "../connector-manifest-error.js";
import { MapValidators } from "../map-validators.js";
import { loadConnectorServiceMap, type FetchLike, type FetchLikeInit, type FetchLikeResponse } from "../service-map.js";
import {
  API_KEY,
  clock,
  EXPIRES_AT,
  load,
  refusal,
  SIGNATURE_KEY,
  signedMap,
  testAgent,
} from "./service-map-set-up.js";

const URL_OF_MAP = "https://publisher.example/v1/connectors/service-map?token=a-token-that-no-message-may-show";
const GOOD = JSON.stringify(signedMap());

/** A `fetch` that never answers and heeds nothing. */
const never: FetchLike = async () => new Promise(() => {});

afterEach(() => {
  vi.useRealTimers();
});

describe("R3: fetchImpl", () => {
  test("R3: is called once with the URL as configured, plain headers, and no redirects", async () => {
    const fetchImpl = vi.fn<FetchLike>(async () => new Response(GOOD, { headers: { etag: '"1"' } }));
    const validators = new MapValidators();
    await load({ serviceMapUrl: URL_OF_MAP, fetchImpl, validators });
    await load({ serviceMapUrl: URL_OF_MAP, fetchImpl, validators });
    const headers = { Accept: "application/json", Authorization: `Bearer ${API_KEY}`, "Cache-Control": "no-cache" };
    const common = { redirect: "manual", signal: expect.any(AbortSignal) };
    expect(fetchImpl.mock.calls).toEqual([
      [URL_OF_MAP, { ...common, headers }],
      [URL_OF_MAP, { ...common, headers: { ...headers, "If-None-Match": '"1"' } }],
    ]);
  });

  test("R3: wins over an agent", async () => {
    const fetchImpl = vi.fn<FetchLike>(async () => new Response(GOOD));
    await load({ serviceMapUrl: URL_OF_MAP, fetchImpl, agent: testAgent() });
    expect(fetchImpl).toHaveBeenCalledTimes(1);
  });

  test("R3: without one, the global fetch is the one at the time of the call", async () => {
    const stub = vi.fn<FetchLike>(async () => new Response(GOOD));
    vi.stubGlobal("fetch", stub);
    await load({ serviceMapUrl: URL_OF_MAP });
    expect(stub).toHaveBeenCalledTimes(1);
  });

  test.each<[string, () => FetchLikeResponse]>([
    ["a Response", () => new Response(GOOD)],
    ["ok and json()", () => ({ ok: true, json: async () => signedMap() })],
    ["status and json()", () => ({ status: 200, headers: new Headers(), json: async () => signedMap() })],
    ["ok and text()", () => ({ ok: true, status: 200, headers: {}, text: async () => GOOD })],
    ["a null body and text()", () => ({ ok: true, body: null, text: async () => GOOD })],
    [
      "a stream of Node's",
      () => ({ status: 200, body: Readable.from([GOOD.slice(0, 9), Buffer.from(GOOD.slice(9))]) }),
    ],
    ["an iterable without destroy", () => ({ status: 200, body: iterable(GOOD) })],
  ])("R3: an answer that is %s is read", async (_name, answer) => {
    const loaded = await load({ serviceMapUrl: URL_OF_MAP, fetchImpl: async () => answer() });
    expect(loaded).toMatchObject({ payload: signedMap(), expiresAtMs: EXPIRES_AT, received: { body: GOOD } });
  });

  test.each<[string, () => FetchLikeResponse]>([
    ["without a body", () => ({ ok: true })],
    ["whose json() is undefined", () => ({ ok: true, json: async () => undefined })],
  ])("R3: an answer %s is no map", async (_name, answer) => {
    await refusal("json", { serviceMapUrl: URL_OF_MAP, fetchImpl: async () => answer() });
  });

  test.each<[string, () => FetchLikeResponse]>([
    ["followed a redirect all the same", () => ({ ok: true, redirected: true, text: async () => GOOD })],
    ["hides the redirect", () => ({ ok: false, status: 0, type: "opaqueredirect" })],
  ])("R3: an answer of one that %s is refused", async (_name, answer) => {
    await refusal("redirect", { serviceMapUrl: URL_OF_MAP, fetchImpl: async () => answer() });
  });

  test("R3: an answer that is neither ok nor has a status is a failure", async () => {
    const error = await refusal("http-status", { serviceMapUrl: URL_OF_MAP, fetchImpl: async () => ({}) });
    expect(error.reason).toBe("answered HTTP 500");
  });

  test("R3: a text that is too large is refused", async () => {
    const fetchImpl: FetchLike = async () => ({ ok: true, text: async () => GOOD.padEnd(1_048_577) });
    await refusal("size", { serviceMapUrl: URL_OF_MAP, fetchImpl });
  });

  test.each<[string, ManifestRule, FetchLikeResponse]>([
    ["is too large", "size", { status: 200 }],
    ["says that it is too large", "size", { status: 200, headers: new Headers({ "content-length": "1048577" }) }],
    ["is a failure's", "http-status", { status: 503 }],
    ["is a redirect's", "redirect", { status: 302 }],
  ])("R3: a body that %s is cancelled, also when the signal is not heeded", async (_name, rule, head) => {
    const cancelled = vi.fn<() => void>();
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(Buffer.alloc(65_536));
      },
      cancel: cancelled,
    });
    await refusal(rule, { serviceMapUrl: URL_OF_MAP, fetchImpl: async () => ({ ...head, body }) });
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  test("R3: chunks that are neither bytes nor text are refused", async () => {
    const fetchImpl: FetchLike = async () => ({ ok: true, body: Readable.from([{ a: 1 }]) });
    const error = await refusal("network", { serviceMapUrl: URL_OF_MAP, fetchImpl });
    expect(error.detail).toBe("the body is neither bytes nor text");
  });
});

describe("R3: the timeout", () => {
  test("R3, R19 network timeout: a fetch that never answers is given up after five seconds, and told so", async () => {
    vi.useFakeTimers();
    let given: FetchLikeInit | undefined;
    const fetchImpl: FetchLike = async (url, init) => {
      given = init;
      return never(url, init);
    };
    const settled = vi.fn<(error: unknown) => void>();
    const options = { serviceMapUrl: URL_OF_MAP, signatureKey: SIGNATURE_KEY, fetchImpl };
    const loading = loadConnectorServiceMap(options).catch(settled);
    await vi.advanceTimersByTimeAsync(4_999);
    expect([settled.mock.calls.length, given?.signal.aborted]).toEqual([0, false]);
    await vi.advanceTimersByTimeAsync(1);
    await loading;
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ rule: "timeout" }));
    expect([given?.signal.aborted, vi.getTimerCount()]).toEqual([true, 0]);
  });

  test("R3: a body that heeds no signal is cancelled, and nothing of it is remembered", async () => {
    const time = new ManualTime();
    const cancelled = vi.fn<() => void>();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from(GOOD));
      },
      cancel: cancelled,
    });
    const validators = new MapValidators();
    const fetchImpl: FetchLike = async () => ({ status: 200, headers: new Headers({ etag: '"1"' }), body });
    const refused = refusal("timeout", {
      serviceMapUrl: URL_OF_MAP,
      fetchImpl,
      timers: time,
      timeoutMs: 70,
      validators,
    });
    await time.advance(70);
    const error = await refused;
    expect(error.reason).toBe("no whole answer within 70 ms");
    expect(cancelled).toHaveBeenCalledTimes(1);
    expect(validators.recall({ serviceMapUrl: URL_OF_MAP, apiKey: API_KEY })).toBeUndefined();
  });

  test.each(["a web stream", "a stream of Node's"])("R3: %s that comes too late is cancelled unread", async (kind) => {
    const time = new ManualTime();
    const cancelled = vi.fn<() => void>();
    const body =
      kind === "a web stream"
        ? new ReadableStream({ cancel: cancelled })
        : new Readable({
            read: () => {},
            destroy: (_error, done) => {
              cancelled();
              done(null);
            },
          });
    let answer: (response: FetchLikeResponse) => void = () => {};
    const fetchImpl: FetchLike = async () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const refused = refusal("timeout", { serviceMapUrl: URL_OF_MAP, fetchImpl, timers: time });
    await time.advance(5_000);
    await refused;
    answer({ status: 200, body });
    await vi.waitFor(() => {
      expect(cancelled).toHaveBeenCalledTimes(1);
    });
  });

  test("R3: a timeout beyond what a timer can wait is the longest there is", async () => {
    const time = new ManualTime();
    const fetchImpl = vi.fn<FetchLike>(never);
    const refused = refusal("timeout", { serviceMapUrl: URL_OF_MAP, fetchImpl, timers: time, timeoutMs: 2 ** 40 });
    expect(time.delays).toEqual([2 ** 31 - 1]);
    await time.advance(2 ** 31);
    await refused;
  });
});

describe("R3: what cannot be asked for is not", () => {
  test.each([
    ["its URL is no http or https URL", { serviceMapUrl: "file:///etc/passwd" }],
    [
      "its URL must hold no user name or password",
      { serviceMapUrl: "https://user:pw-no-message@publisher.example/map" },
    ],
    ["its URL must hold no user name or password", { serviceMapUrl: "https://user@publisher.example/map" }],
    ["the API key must be visible ASCII without spaces", { apiKey: `${API_KEY}\r\nX-Evil: 1` }],
    ["the API key must be visible ASCII without spaces", { apiKey: `${API_KEY}ö` }],
    ["there is no key to verify its signature with", { signatureKey: "" }],
    ["there is no key to verify its signature with", { signatureKey: undefined }],
    ["timeoutMs must be more than 0", { timeoutMs: 0 }],
    ["timeoutMs must be more than 0", { timeoutMs: Number.NaN }],
  ])("%s: %j", async (reason, options) => {
    const fetchImpl = vi.fn<FetchLike>(never);
    const asked = load({ serviceMapUrl: URL_OF_MAP, fetchImpl, ...options });
    await expect(asked).rejects.toMatchObject({ name: "ConnectorManifestError", rule: "request", reason });
    await expect(asked).rejects.not.toThrow(/no-message/);
    expect(fetchImpl).not.toHaveBeenCalled();
  });

  test("a text that is no URL is not repeated", async () => {
    const asked = load({ serviceMapUrl: "publisher.example/?token=secret" });
    await expect(asked).rejects.toThrow(
      "Service map (not a URL): its URL is no http or https URL (rule: request). Mend the configuration.",
    );
  });
});

async function* iterable(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(text);
}

describe("R3: what a fetch fails with", () => {
  test.each<[unknown, RegExp, string]>([
    [
      new TypeError("fetch failed", { cause: withCode("ECONNRESET", "read ECONNRESET") }),
      /^the connection was cut \(ECONNRESET\)$/,
      "read ECONNRESET",
    ],
    [
      withCode("CERT_HAS_EXPIRED", "certificate has expired"),
      /^its certificate is refused \(CERT_/,
      "certificate has expired",
    ],
    [withCode("EWHATEVER", "hm"), /^the exchange failed \(EWHATEVER\)$/, "hm"],
    [withCode("not a code", "hm"), /^the exchange failed$/, "hm"],
    [withCode(7, "hm"), /^the exchange failed$/, "hm"],
    [new Error("down\u001b[31m\nhard"), /^the exchange failed$/, "down [31m hard"],
    ["a string", /^the exchange failed$/, "a string"],
    [undefined, /^the exchange failed$/, "unknown error"],
    [withCode("Z_DATA_ERROR", "incorrect header check"), /^the body cannot be decompressed/, "incorrect header check"],
    [
      withCode("ERR__ERROR_FORMAT_PADDING_1", "Decompression failed"),
      /^the body cannot be decompressed/,
      "Decompression failed",
    ],
  ])("%s", async (thrown, reason, detail) => {
    const rule = String(reason).includes("decompressed") ? "encoding" : "network";
    const fetchImpl: FetchLike = async () => {
      throw thrown as Error;
    };
    const error = await refusal(rule, { serviceMapUrl: URL_OF_MAP, fetchImpl });
    expect(error.reason).toMatch(reason);
    expect(error.detail).toBe(detail);
  });

  test("R3: whatever it says, no secret gets into the error", async () => {
    const { search } = new URL(URL_OF_MAP);
    const words = `cannot GET ${URL_OF_MAP} with Bearer ${API_KEY}, key ${SIGNATURE_KEY}, ${search}`;
    const fetchImpl: FetchLike = async () => Promise.reject(new Error(words.repeat(3), { cause: new Error(words) }));
    const error = await refusal("network", { serviceMapUrl: URL_OF_MAP, fetchImpl });
    expect(error.detail).toBe(
      "cannot GET https://publisher.example/v1/connectors/service-map with Bearer ***, key ***, ***",
    );
  });

  test("R3: of two secrets one of which begins with the other nothing is left, and the words are short", async () => {
    const [apiKey, signatureKey] = ["secret-beginning", "secret-beginning-and-the-rest"];
    const fetchImpl: FetchLike = async () => Promise.reject(new Error(`${signatureKey} ${apiKey} ${"x".repeat(900)}`));
    const error = await refusal("network", { serviceMapUrl: URL_OF_MAP, fetchImpl, apiKey, signatureKey });
    expect(error.detail).toBe(`*** *** ${"x".repeat(192)}`);
  });

  test("R3: causes that go round are not followed for ever", async () => {
    const error = new Error("round");
    error.cause = error;
    await refusal("network", { serviceMapUrl: URL_OF_MAP, fetchImpl: async () => Promise.reject(error), clock });
  });
});

function withCode(code: unknown, message: string): Error {
  return Object.assign(new Error(message), { code });
}
