import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MAX_SERVICE_MAP_BYTES } from "../limits.js";
import { againstFloor, floorOf } from "../map-floor.js";
import { serviceMapResponseSchema } from "../schema.js";
import { createServiceMapSignature } from "../signature.js";
import {
  connector,
  NOW_MS,
  signedBody,
  signedMap,
  TEST_KEY,
  unsignedMap,
  verdictOf,
  verifiedMap,
} from "./signed-maps.js";

const hmac = (text: string): Buffer => createHmac("sha256", TEST_KEY).update(text).digest();
const WRONG = /^signature: /;

/** What the plan's sketches got wrong (reliability.md, 4.1), each as it would be attacked or met. */
describe("R2: the slips of the plan's sketches", () => {
  test("the signature covers members that no schema knows: they can be neither changed, added nor removed", () => {
    const map = signedMap({ policy: { egress: "deny" }, connectors: [connector({ sandbox: true })] });
    expect(verdictOf(JSON.stringify(map))).toBe("accepted");
    expect(verdictOf(JSON.stringify({ ...map, policy: { egress: "allow" } }))).toMatch(WRONG);
    expect(verdictOf(JSON.stringify({ ...map, connectors: [connector()] }))).toMatch(WRONG);
    expect(verdictOf(JSON.stringify({ ...map, more: 1 }))).toMatch(WRONG);
  });

  test("members that no schema knows are still there when the map is used", () => {
    const members = { policy: { egress: "deny" }, connectors: [connector({ sandbox: true })] };
    expect(verifiedMap(members).payload).toEqual(signedMap(members));
  });

  test("what is verified is the document as it came, not one that a schema has filled in", () => {
    const map = signedMap();
    expect(verifiedMap().payload).toEqual(map);
    const filledIn = unsignedMap({ connectors: [connector({ headers: {}, tags: [], description: "" })] });
    expect(verdictOf(JSON.stringify({ ...map, signature: createServiceMapSignature(filledIn, TEST_KEY) }))).toMatch(
      WRONG,
    );
    // Nor has the schema anything to fill in.
    expect(serviceMapResponseSchema.parse(map)).toEqual(map);
  });

  test("a signature in hex, as the Python publisher wrote it, is refused", () => {
    const { signature, ...map } = signedMap();
    const hex = Buffer.from(String(signature), "base64url").toString("hex");
    expect(verdictOf(JSON.stringify({ ...map, signature: hex }))).toMatch(WRONG);
  });

  test("names sorted by localeCompare, as the plan's verifier did, are signed otherwise", () => {
    const map = unsignedMap({ _x: 1, a: 2, A: 3, ä: 4, b: 5, B: 6, z: 7 });
    const names = Object.keys(map).toSorted((a, b) => a.localeCompare(b, "en"));
    const text = `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(map[name])}`).join(",")}}`;
    expect(verdictOf(JSON.stringify({ ...map, signature: hmac(text).toString("base64url") }))).toMatch(WRONG);
  });

  test("names sorted by code points, as Python sorts, are signed otherwise", () => {
    const map: Record<string, unknown> = { "\u{1f600}": 1, "\ue000": 2, ...unsignedMap({ connectors: [] }) };
    const names = Object.keys(map).toSorted(
      (a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0) || (a < b ? -1 : 1),
    );
    const text = `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(map[name])}`).join(",")}}`;
    expect(names.slice(-2)).toEqual(["\ue000", "\u{1f600}"]);
    expect(verdictOf(JSON.stringify({ ...map, signature: hmac(text).toString("base64url") }))).toMatch(WRONG);
  });

  test("an expired map and one from the future are refused", () => {
    expect(verdictOf(signedBody({ ttlSeconds: 60 }))).toMatch(/^expired: /);
    expect(verdictOf(signedBody({ generatedAt: "2026-01-01T00:02:01Z" }))).toMatch(/^future: /);
  });

  test("an older map is refused, however valid", () => {
    const floor = floorOf(verifiedMap({ generatedAt: "2026-01-01T00:00:30Z" }));
    expect(againstFloor(verifiedMap(), floor)).toMatchObject({ rule: "older" });
  });

  test("a body without end is refused by its size, before anybody reads it as JSON", () => {
    expect(verdictOf(Buffer.alloc(MAX_SERVICE_MAP_BYTES + 1, "["))).toMatch(/^size: /);
  });

  test("what a publisher answered is never in the reason", () => {
    const secret = "sk-live-0123456789";
    const answers = [
      secret,
      `<html>${secret}</html>`,
      `{"a":"${secret}`,
      `{"a":"${secret}",}`,
      JSON.stringify({ a: secret }),
      JSON.stringify({ ...signedMap(), brand: secret }),
      signedBody({ connectors: [connector({ endpoint: secret, auth: { type: secret, headerName: `${secret}:` } })] }),
      signedBody({ connectors: [connector({ headers: { "X-A": `${secret}\n` } })] }),
      signedBody({ generatedAt: secret, id: secret, ttlSeconds: secret }),
    ];
    for (const answer of answers) {
      expect(verdictOf(answer)).not.toContain(secret);
      expect(verdictOf(answer)).not.toBe("accepted");
    }
  });

  test("the clock that judges is the one that is passed", () => {
    expect(verdictOf(signedBody(), { nowMs: NOW_MS + 240_000 })).toMatch(/^expired: expired 0 s ago/);
  });
});
