import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";
import { KeyRing } from "../key-ring.js";
import { readServiceMap, type ServiceMapReading } from "../read-service-map.js";
import { connector, ed25519Pair, NOW_MS, signedMap, TEST_KEY, TEST_RING } from "./signed-maps.js";

/** What is read of each copy of `body` that differs from it in one bit. */
function* flips(body: Buffer, keys: KeyRing): Generator<ServiceMapReading> {
  const copy = Buffer.from(body);
  for (let bit = 0; bit < body.length * 8; bit += 1) {
    const at = bit >> 3;
    copy[at] = (body[at] ?? 0) ^ (1 << (bit & 7));
    yield readServiceMap(copy, { keys, nowMs: NOW_MS });
    copy[at] = body[at] ?? 0;
  }
}

const connectors = [
  connector({ tags: ["ä", "\u{1f600}"] }),
  connector({
    id: "search",
    name: undefined,
    displayName: "Search",
    status: "online",
    enabled: true,
    extra: { n: 1.5 },
  }),
];

describe("R2: a map of which any one bit was flipped", () => {
  const pair = ed25519Pair("2026");
  const hmacRing = KeyRing.fromJwks({
    keys: [{ kty: "oct", kid: "a", k: Buffer.from(TEST_KEY).toString("base64url") }],
  });

  test.each([
    { algorithm: "HMAC-SHA256", body: signedMap({ connectors }), keys: TEST_RING },
    { algorithm: "HMAC-SHA256 with a kid", body: signedMap({ connectors, kid: "a" }), keys: hmacRing },
    {
      algorithm: "Ed25519",
      body: signedMap({ connectors, kid: "2026" }, pair.privateKey),
      keys: KeyRing.fromJwks({ keys: [pair.jwk] }),
    },
  ])("is never accepted ($algorithm)", ({ body, keys }) => {
    const bytes = Buffer.from(canonicalJson(body));
    expect(readServiceMap(bytes, { keys, nowMs: NOW_MS }).ok).toBe(true);
    const rules = new Map<string, number>();
    for (const read of flips(bytes, keys)) {
      const rule = read.ok ? "accepted" : read.rule;
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
    expect(rules.get("accepted") ?? 0).toBe(0);
    expect([...rules.values()].reduce((sum, count) => sum + count)).toBe(bytes.length * 8);
    // The flips reached the signature; they were not all stopped by what comes before it.
    expect(rules.get("signature")).toBeGreaterThan(bytes.length);
  });

  test("says the same to the last member, where JSON has two ways to write one thing", () => {
    const map = signedMap({ connectors, big: 1e21, control: "\u001f\u000b" });
    const text = JSON.stringify(map, null, "\t").replace("ä", String.raw`\u00e4`);
    const bytes = Buffer.from(text);
    const accepted = [...flips(bytes, TEST_RING)].filter((read) => read.ok);
    // A tab for a carriage return, `e` for `E`, a hexadecimal digit in other case: no more, and nothing else.
    expect(accepted.length).toBeGreaterThan(0);
    for (const read of accepted) expect(read.map.payload).toEqual(JSON.parse(text));
  });
});
