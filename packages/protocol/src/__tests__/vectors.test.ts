import { execFile } from "node:child_process";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";
import { KeyRing } from "../key-ring.js";
import { readServiceMap } from "../read-service-map.js";
import { createServiceMapSignature, verifyServiceMapSignature } from "../signature.js";
import { parseStrictJson } from "../strict-json.js";
import { generateVectors, type GeneratedVector } from "./generated-vectors.js";

const folder = new URL("../../vectors/", import.meta.url);
const load = (file: string) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));

interface Named {
  readonly name: string;
  readonly json: string;
}

function canonicalOf(text: string): string | undefined {
  const json = parseStrictJson(text);
  return json.ok ? canonicalJson(json.value) : undefined;
}

describe("R2: the canonical form", () => {
  const {
    cases,
    refused,
  }: {
    readonly cases: readonly (Named & { readonly canonical: string })[];
    readonly refused: readonly Named[];
  } = load("canonical.json");

  test.each(cases)("of $name", ({ json, canonical }) => {
    expect(canonicalOf(json)).toBe(canonical);
    expect(canonicalOf(canonical)).toBe(canonical);
  });

  test.each(refused)("does not exist for $name", ({ json }) => {
    expect(canonicalOf(json)).toBeUndefined();
  });

  test("has enough vectors that none can vanish unnoticed", () => {
    expect(cases.length).toBeGreaterThanOrEqual(80);
    expect(refused.length).toBeGreaterThanOrEqual(30);
  });
});

describe("R2: 240 generated vectors", () => {
  const key = "cortex-mcp generated vectors: not a secret";
  const vectors = generateVectors(8785, 240, key);

  test("are those that were published (after an intended change: vitest -u)", async () => {
    const about =
      "Generated from a fixed seed. The signature is HMAC-SHA256 over the canonical form. The key is for tests.";
    const text = `${JSON.stringify({ about, keyUtf8: key, cases: vectors }, null, 2)}\n`;
    await expect(text.replaceAll(/[\u007f-\uffff]/g, escapedUnit)).toMatchFileSnapshot("../../vectors/generated.json");
  });

  test("are the same for a canonicaliser of ten lines that shares nothing with ours", () => {
    const { cases: published }: { readonly cases: readonly GeneratedVector[] } = load("generated.json");
    expect(published.map(({ json }) => naiveCanonical(JSON.parse(json)))).toEqual(
      published.map((each) => each.canonical),
    );
    expect(published.map(({ json }) => canonicalOf(json))).toEqual(published.map((each) => each.canonical));
  });
});

const escapedUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** RFC 8785 is what `JSON.stringify` does with sorted members. */
function naiveCanonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(naiveCanonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = new Map<string, unknown>(Object.entries(value));
  const sorted = [...members.keys()].toSorted((a, b) => (a < b ? -1 : 1));
  return `{${sorted.map((name) => `${JSON.stringify(name)}:${naiveCanonical(members.get(name))}`).join()}}`;
}

interface Signed extends Named {
  readonly valid: boolean;
}

const signatureIn = (payload: object): string =>
  "signature" in payload && typeof payload.signature === "string" ? payload.signature : "";

describe("R2: HMAC-SHA256", () => {
  const { cases }: { readonly cases: readonly (Signed & { readonly keyUtf8: string })[] } = load("hmac.json");

  test.each(cases)("$name: $valid", ({ json, keyUtf8, valid }) => {
    const payload: object = JSON.parse(json);
    expect(verifyServiceMapSignature(payload, signatureIn(payload), keyUtf8)).toBe(valid);
    expect(createServiceMapSignature(payload, keyUtf8) === signatureIn(payload)).toBe(valid);
  });
});

describe("R2: Ed25519", () => {
  const {
    keys,
    cases,
  }: {
    readonly keys: Readonly<Record<string, { readonly seedHex: string; readonly publicHex: string }>>;
    readonly cases: readonly (Signed & { readonly key: string })[];
  } = load("ed25519.json");
  const privateKey = (name: string): KeyObject => ed25519FromSeed(keys[name]?.seedHex ?? "");

  test.each(Object.entries(keys))("key pair %s is the one of RFC 8032", (name, { publicHex }) => {
    const { x = "" } = createPublicKey(privateKey(name)).export({ format: "jwk" });
    expect(Buffer.from(x, "base64url").toString("hex")).toBe(publicHex);
  });

  test.each(cases)("$name: $valid", ({ json, key, valid }) => {
    const payload: object = JSON.parse(json);
    expect(verifyServiceMapSignature(payload, signatureIn(payload), createPublicKey(privateKey(key)))).toBe(valid);
    expect(createServiceMapSignature(payload, privateKey(key)) === signatureIn(payload)).toBe(valid);
  });
});

function ed25519FromSeed(seedHex: string): KeyObject {
  // The fixed beginning of every such key (RFC 8410, 7).
  const der = Buffer.from(`302e020100300506032b657004220420${seedHex}`, "hex");
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

describe("R2: the key ring", () => {
  const {
    rings,
    cases,
  }: {
    readonly rings: Readonly<Record<string, unknown>>;
    readonly cases: readonly (Named & { readonly ring: string; readonly verdict: string })[];
  } = load("key-rings.json");

  test.each(cases)("$name: $verdict", ({ json, ring, verdict }) => {
    const said = KeyRing.fromJwks(rings[ring]).verify(JSON.parse(json));
    expect(said.ok ? "ok" : said.rule).toBe(verdict);
  });
});

describe("R1, R2: whole maps", () => {
  const {
    now,
    ring,
    cases,
  }: {
    readonly now: string;
    readonly ring: unknown;
    readonly cases: readonly {
      readonly name: string;
      readonly body?: string;
      readonly bodyBase64?: string;
      readonly times?: { readonly text: string; readonly count: number };
      readonly verdict: string;
    }[];
  } = load("maps.json");

  test.each(cases)("$name: $verdict", ({ body, bodyBase64, times, verdict }) => {
    const written = times === undefined ? body : body?.replace(times.text, times.text.repeat(times.count));
    const received = written ?? Buffer.from(bodyBase64 ?? "", "base64");
    const read = readServiceMap(received, { keys: KeyRing.fromJwks(ring), nowMs: Date.parse(now) });
    expect(read.ok ? "accepted" : read.rule).toBe(verdict);
    if (!read.ok) expect(read.reason).not.toBe("");
  });
});

describe("R2: a publisher in another language", () => {
  const script = fileURLToPath(new URL("verify_vectors.py", folder));
  const run = promisify(execFile);

  test("comes to the same verdicts with Python's standard library", async (context) => {
    const python = await run("python3", ["--version"]).catch(() => undefined);
    if (python === undefined) return context.skip("python3 is not installed here");
    const { stdout, stderr } = await run("python3", ["-I", "-B", script]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^\d+ canonical, \d+ refused, 240 generated, 240 generated signature, \d+ hmac, \d+ key ring, \d+ map\n/,
    );
    expect(stdout).toMatch(/\d+ skipped: Ed25519 is not in Python's standard library\n$/);
  });
});
