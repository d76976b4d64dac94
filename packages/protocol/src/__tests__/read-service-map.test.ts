import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";
import { KeyRing } from "../key-ring.js";
import { MAX_SERVICE_MAP_BYTES } from "../limits.js";
import { readServiceMap } from "../read-service-map.js";
import {
  connector,
  ed25519Pair,
  NOW_MS,
  signedBody,
  signedMap,
  TEST_KEY,
  TEST_RING,
  unsignedMap,
  verdictOf,
  verifiedMap,
} from "./signed-maps.js";

describe("R2: reading a service map", () => {
  test("tells what the signature covers, when it was made, when it expires and who signed it", () => {
    const digest = createHash("sha256").update(canonicalJson(unsignedMap())).digest("hex");
    expect(verifiedMap()).toEqual({
      payload: signedMap(),
      generatedAtMs: NOW_MS - 60_000,
      expiresAtMs: NOW_MS + 240_000,
      digest,
    });
    const { privateKey, jwk } = ed25519Pair("2026");
    const keys = KeyRing.fromJwks({ keys: [jwk] });
    const read = readServiceMap(signedBody({ kid: "2026" }, privateKey), { keys, nowMs: NOW_MS });
    expect(read).toMatchObject({ ok: true, map: { kid: "2026" } });
  });

  test("takes bytes and text alike", () => {
    expect(verdictOf(signedBody())).toBe("accepted");
    expect(verdictOf(Buffer.from(signedBody()))).toBe("accepted");
    expect(verdictOf(new TextEncoder().encode(signedBody()))).toBe("accepted");
    expect(verdictOf(`\n ${signedBody()}\r\n\t`)).toBe("accepted");
  });

  test("takes 1 MiB and not a byte more, also where characters have several bytes", () => {
    const body = signedBody({ note: "ä" });
    const padding = " ".repeat(MAX_SERVICE_MAP_BYTES - Buffer.byteLength(body));
    expect(verdictOf(body + padding)).toBe("accepted");
    expect(verdictOf(Buffer.from(body + padding))).toBe("accepted");
    expect(verdictOf(`${body}${padding} `)).toBe("size: is larger than 1048576 bytes");
    expect(verdictOf(Buffer.from(`${body}${padding} `))).toBe("size: is larger than 1048576 bytes");
  });

  test("judges in one order: nothing is looked at before what comes first vouches for it", () => {
    const bad = { id: "no", ttlSeconds: 100_000, generatedAt: "2027-01-01T00:00:00Z" };
    expect(verdictOf(Buffer.alloc(MAX_SERVICE_MAP_BYTES + 1, 0xff))).toMatch(/^size/);
    expect(verdictOf(Buffer.from([0x7b, 0xff]))).toMatch(/^encoding/);
    expect(verdictOf('{"ttlSeconds":1,"ttlSeconds":2}')).toMatch(/^json/);
    expect(verdictOf(JSON.stringify(unsignedMap(bad)))).toMatch(/^unsigned/);
    expect(verdictOf(signedBody({ ...bad, kid: "?" }))).toMatch(/^unknown-key/);
    expect(verdictOf(signedBody(bad, "another key"))).toMatch(/^signature/);
    expect(verdictOf(signedBody(bad))).toMatch(/^schema/);
    expect(verdictOf(signedBody({ ...bad, id: unsignedMap()["id"] }))).toMatch(/^ttl/);
    expect(verdictOf(signedBody({ ...bad, id: unsignedMap()["id"], ttlSeconds: 1 }))).toMatch(/^future/);
  });

  test("counts a lifetime from the moment it was made, not from when it came", () => {
    expect(verdictOf(signedBody(), { nowMs: NOW_MS + 239_999 })).toBe("accepted");
    expect(verdictOf(signedBody(), { nowMs: NOW_MS + 240_000 })).toBe(
      "expired: expired 0 s ago; the publisher must sign it anew",
    );
  });

  test("allows a publisher's clock to be a minute fast", () => {
    expect(verdictOf(signedBody(), { nowMs: NOW_MS - 120_000 })).toBe("accepted");
    expect(verdictOf(signedBody(), { nowMs: NOW_MS - 120_001 })).toBe(
      "future: generatedAt: is 61 s ahead of this machine's clock; compare the two clocks",
    );
  });

  test("takes an expired map or one of a later clock from our own disk, but no wrong one", () => {
    const late = { allowExpired: true, nowMs: NOW_MS + 1e12 };
    const early = { allowFuture: true, nowMs: 0 };
    for (const options of [late, early]) {
      expect(verdictOf(signedBody(), options)).toBe("accepted");
      expect(verdictOf(signedBody({}, "another key"), options)).toMatch(/^signature/);
      expect(verdictOf(signedBody({ ttlSeconds: 86_401 }), options)).toMatch(/^ttl/);
    }
    expect(verdictOf(signedBody(), { ...late, allowExpired: false })).toMatch(/^expired/);
    expect(verdictOf(signedBody(), { ...early, allowFuture: false })).toMatch(/^future/);
  });

  test("names the first three places that are wrong, and counts the rest", () => {
    const connectors = [connector(), ...Array.from({ length: 4 }, () => connector({ version: 7 }))];
    expect(verdictOf(signedBody({ connectors: connectors.map((each, at) => ({ ...each, id: `c${at}` })) }))).toBe(
      "schema: connectors[1].version: must be a text; connectors[2].version: must be a text; " +
        "connectors[3].version: must be a text; and 1 more",
    );
    expect(verdictOf(signedBody({ connectors: [connector(), connector()] }))).toBe(
      "schema: connectors[1].id: is connectors[0]'s already",
    );
    expect(verdictOf(signedBody({ connectors: [connector({ auth: { type: "basic" }, scopes: undefined })] }))).toBe(
      "schema: connectors[0].auth.type: must be one of apiKey, bearer, none; connectors[0].scopes: is missing",
    );
  });

  test("says which key was meant", () => {
    const { jwk } = ed25519Pair("2026");
    const keys = KeyRing.fromJwks({ keys: [jwk] });
    expect(verdictOf(signedBody(), { keys })).toBe(
      "unknown-key: names no kid, and the key ring (1 key) holds no HMAC key",
    );
    expect(verdictOf(signedBody({ kid: 5 }), { keys })).toBe("unknown-key: kid: must be a string");
    expect(readServiceMap(signedBody({ kid: "2025" }), { keys, nowMs: NOW_MS })).toEqual({
      ok: false,
      rule: "unknown-key",
      reason: "kid: names a key that is not in the key ring (1 key)",
      detail: '"2025"',
    });
    const none = { keys: KeyRing.fromJwks({ keys: [] }), nowMs: NOW_MS };
    expect(readServiceMap(signedBody({ kid: `\n${"k".repeat(100)}` }), none)).toEqual({
      ok: false,
      rule: "unknown-key",
      reason: "kid: names a key that is not in the key ring (0 keys)",
      detail: String.raw`"\n${"k".repeat(63)}…"`,
    });
  });

  test("holds no word of the sender in what clients see before the signature is good, whatever he sends", () => {
    const canary = "canary";
    const names = fc.constantFrom(
      canary,
      `${canary}\n\u202e`,
      "__proto__",
      `${canary}${"x".repeat(300)}`,
      "kid",
      "signature",
    );
    const values = fc.oneof(fc.constantFrom(canary, 1, 1e21, null), fc.string());
    const hostile = fc
      .array(fc.tuple(names, fc.oneof(values, fc.array(values), fc.dictionary(names, values))), { maxLength: 6 })
      .map(
        (pairs) => `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`,
      );
    const seen = new Set<string>();
    fc.assert(
      fc.property(hostile, fc.nat(), fc.constantFrom("", '"', "]", "\\", "1e999"), (text, where, garbage) => {
        const at = where % text.length;
        const body = `${text.slice(0, at)}${garbage}${text.slice(at)}`;
        const read = readServiceMap(body, { keys: TEST_RING, nowMs: NOW_MS });
        if (read.ok) throw new Error("accepted");
        seen.add(read.rule);
        expect(read.reason).not.toContain(canary);
        expect(read.reason).toMatch(/^[ -~]{1,100}$/);
        expect(read.detail ?? "").toMatch(/^[\P{C}]{0,200}$/u);
      }),
      { numRuns: 3_000, seed: 20_260_101 },
    );
    expect([...seen].toSorted()).toEqual(["json", "signature", "unknown-key", "unsigned"]);
  });

  test("bounds the reasons of the schema, and still counts", () => {
    const headers = { ["é".repeat(60)]: 1, ["ö".repeat(60)]: 2, ["ü".repeat(60)]: 3, ["ä".repeat(60)]: 4 };
    const verdict = verdictOf(signedBody({ connectors: [connector({ headers })] }));
    expect(verdict).toMatch(/^schema: connectors\[0\]\.headers\["é{60}"\].*…; and \d+ more$/);
    expect(verdict.length).toBe("schema: ".length + 300);
  });

  test("refuses a member called __proto__, behind which a kid, a signature or a header would hide from the schema", () => {
    const hidden = `{"__proto__":{"kid":"x","signature":"x"},${signedBody().slice(1)}`;
    expect(verdictOf(hidden)).toBe("json: an object holds a member called __proto__ (byte 1)");
    const headers: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
    expect(verdictOf(signedBody({ connectors: [connector({ headers })] }))).toBe(
      "json: an object holds a member called __proto__ (byte 301)",
    );
    expect("polluted" in {}).toBe(false);
  });

  test("answers whatever comes, and accepts nothing that our key did not sign", () => {
    const anything = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((text) => Buffer.from(text)),
      fc
        .dictionary(fc.constantFrom("id", "kid", "signature", "connectors", "__proto__"), fc.jsonValue())
        .map((map) => Buffer.from(JSON.stringify({ ...unsignedMap(), ...map }))),
    );
    fc.assert(
      fc.property(anything, (body) => {
        expect(readServiceMap(body, { keys: TEST_RING, nowMs: NOW_MS }).ok).toBe(false);
      }),
      { numRuns: 2_000, seed: 20_260_101 },
    );
  });

  test("accepts what was signed, whatever else is in it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 4 }), (extra, indent) => {
        fc.pre(canonicalOf(extra) !== undefined && !JSON.stringify(extra).includes("__proto__"));
        expect(verdictOf(JSON.stringify(signedMap({ extra }, TEST_KEY), null, indent))).toBe("accepted");
      }),
      { numRuns: 1_000, seed: 20_260_101 },
    );
  });
});

function canonicalOf(value: unknown): string | undefined {
  try {
    return canonicalJson(value);
  } catch {
    return undefined;
  }
}
