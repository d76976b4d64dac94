import { createSecretKey } from "node:crypto";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { decodeTime } from "ulid";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";
import { generateKeySet } from "../generate-key.js";
import { KeyRing } from "../key-ring.js";
import { parseManifest } from "../manifest.js";
import { readServiceMap } from "../read-service-map.js";
import { signServiceMap } from "../sign-manifest.js";
import { signingKeyFromJwks } from "../signing-key.js";
import { connectorNamed, manifestWith } from "./publisher-fixture.js";

const SECRET = "correct horse battery staple, long enough";
const manifestOf = (members: Readonly<Record<string, unknown>> = {}) =>
  parseManifest(JSON.stringify(manifestWith(members)), "m.json");

describe("R3b: signing a manifest", () => {
  test("R2: makes a map that the gateways' own reading accepts, canonical and compact", () => {
    const clock = new ManualTime();
    const { body, payload } = signServiceMap(manifestOf({ team: "ä" }), { key: { key: SECRET }, clock });
    const reading = readServiceMap(body, { keys: KeyRing.fromSecret(SECRET), nowMs: clock.now() });
    expect(reading.ok && reading.map.payload).toEqual(payload);
    expect(body).toBe(canonicalJson(payload));
    expect(payload).toMatchObject({ ...manifestWith({ team: "ä" }), generatedAt: "2023-11-14T22:13:20.000Z" });
    expect(payload).not.toHaveProperty("kid");
    expect(decodeTime(payload.id)).toBe(clock.now());
  });

  test.each(["ed25519", "hmac"] as const)("names the %s key of a set, under the signature", (kind) => {
    const clock = new ManualTime();
    const { privateJwks } = generateKeySet({ kind, kid: "2026" });
    const { body, payload } = signServiceMap(manifestOf(), { key: signingKeyFromJwks(privateJwks), clock });
    expect(payload.kid).toBe("2026");
    const ring = KeyRing.fromJwks(privateJwks);
    expect(readServiceMap(body, { keys: ring, nowMs: clock.now() })).toMatchObject({ ok: true, map: { kid: "2026" } });
    const renamed = body.replace('"kid":"2026"', '"kid":"2027"');
    expect(readServiceMap(renamed, { keys: ring, nowMs: clock.now() })).toMatchObject({ ok: false });
  });

  test("ids are of their moment and of chance", () => {
    const clock = new ManualTime();
    const idOf = (random: number) =>
      signServiceMap(manifestOf(), { key: { key: SECRET }, clock, random: fixedRandom(random) }).payload.id;
    expect(idOf(0.1)).toBe(idOf(0.1));
    expect(idOf(0.1)).not.toBe(idOf(0.9));
    const byDefault = () => signServiceMap(manifestOf(), { key: { key: SECRET }, clock }).payload.id;
    expect(byDefault()).not.toBe(byDefault());
  });

  test("the time is no earlier than it may be", () => {
    const clock = new ManualTime();
    const options = { key: { key: SECRET }, clock };
    const ahead = signServiceMap(manifestOf(), { ...options, earliestMs: clock.now() + 5 }).payload;
    expect(Date.parse(ahead.generatedAt)).toBe(clock.now() + 5);
    expect(decodeTime(ahead.id)).toBe(clock.now() + 5);
    const behind = signServiceMap(manifestOf(), { ...options, earliestMs: clock.now() - 5 }).payload;
    expect(Date.parse(behind.generatedAt)).toBe(clock.now());
  });

  test("a map that gateways would refuse is not made", () => {
    const many = Array.from({ length: 4_000 }, (_, at) => connectorNamed(`c${at}`, { description: "x".repeat(200) }));
    expect(() =>
      signServiceMap(manifestOf({ connectors: many }), { key: { key: SECRET }, clock: new ManualTime() }),
    ).toThrow("gateways would refuse this service map (size): is larger than 1048576 bytes");
  });

  test("any key that is not empty signs; configuration is who asks for 32 bytes", () => {
    const clock = new ManualTime();
    const key = createSecretKey("short", "utf8");
    const { body } = signServiceMap(manifestOf(), { key: { key }, clock });
    expect(readServiceMap(body, { keys: KeyRing.fromSecret("short"), nowMs: clock.now() }).ok).toBe(true);
    expect(() => signServiceMap(manifestOf(), { key: { key: "" }, clock })).toThrow("it is empty");
  });
});
