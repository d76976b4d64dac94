import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { specOf } from "../../../__tests__/support/specs.js";
import type { StoredPart } from "../catalog-store.js";
import { readStoredPart, storedPartBytes } from "../stored-part.js";
import { storedOf } from "./warm-set-up.js";

const whole = storedOf(specOf("files"), "read", "write");

/** A document with a digest that is right, whatever is in it. */
function sealed(members: unknown): Buffer {
  const rest = `${JSON.stringify(members).slice(1)}\n`;
  return Buffer.from(`{"sha256":"${createHash("sha256").update(rest).digest("hex")}",${rest}`);
}

describe("what is stored of a connector (R4, R23)", () => {
  test("comes back as it was, whatever the upstream put in, and makes the same bytes again", () => {
    const odd: unknown = JSON.parse(
      String.raw`{"name":"odd","__proto__":{"a":1},"10":1,"2":2,"text":"\ud800 \u2028 é","n":1.5e300,"deep":[[[{}]]]}`,
    );
    const entries = [odd as Record<string, never>];
    const lists = {
      tools: { entries, ttlMs: 5, cacheScope: "private", leftOut: ["b (no inputSchema)"] },
      prompts: { entries: [] },
    } as const;
    const stored: StoredPart = { ...whole, part: { key: "files", lists } };
    const { bytes, sha256 } = storedPartBytes(stored);
    const read = readStoredPart(bytes);
    if (!read.ok) throw new Error(read.reason);
    expect(read.sha256).toBe(sha256);
    expect(JSON.stringify(read.stored)).toBe(JSON.stringify(stored));
    expect(storedPartBytes(read.stored).bytes.equals(bytes)).toBe(true);
    expect(JSON.parse(bytes.toString("utf8"))).toMatchObject({ v: 1, key: "files", sha256 });
  });

  test("is refused with any one byte flipped, cut off or added", () => {
    const { bytes } = storedPartBytes(whole);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const mask of [0x01, 0x20, 0x80]) {
        const flipped = Buffer.from(bytes);
        flipped.writeUInt8(bytes.readUInt8(at) ^ mask, at);
        expect(readStoredPart(flipped).ok, `byte ${at} ^ ${mask}`).toBe(false);
      }
      expect(readStoredPart(bytes.subarray(0, at)).ok, `cut at ${at}`).toBe(false);
    }
    expect(readStoredPart(Buffer.concat([bytes, Buffer.from("\n")])).ok).toBe(false);
  });

  test("is refused when it is of another version, and says so", () => {
    expect(readStoredPart(sealed({ ...whole, v: 2 }))).toEqual({ ok: false, reason: "is of another version" });
  });

  test.each([
    ["no JSON", Buffer.from("hello")],
    ["nothing", Buffer.alloc(0)],
    ["JSON without a digest", Buffer.from(JSON.stringify({ v: 1, ...whole }))],
    ["a digest over no JSON", sealedText("}}")],
    ["a digest over no object", sealedText("[")],
    ["no key", sealed({ v: 1, ...whole, key: 7 })],
    ["no fingerprint", sealed({ v: 1, ...whole, fingerprint: null })],
    ["no facts", sealed({ v: 1, ...whole, facts: "modern" })],
    ["an era that is none", sealed({ v: 1, ...whole, facts: { ...whole.facts, era: "future" } })],
    ["capabilities that are none", sealed({ v: 1, ...whole, facts: { ...whole.facts, capabilities: [] } })],
    ["no part", sealed({ v: 1, ...whole, part: [] })],
    ["another connector's part", sealed({ v: 1, ...whole, part: { ...whole.part, key: "other" } })],
    ["a part without lists", sealed({ v: 1, ...whole, part: { key: "files" } })],
    ["a list that is none", sealed({ v: 1, ...whole, part: { key: "files", lists: { tools: 1 } } })],
    ["entries that are none", sealed({ v: 1, ...whole, part: { key: "files", lists: { tools: { entries: [1] } } } })],
    [
      "reasons that are none",
      sealed({ v: 1, ...whole, part: { key: "files", lists: { tools: { entries: [], leftOut: 5 } } } }),
    ],
    [
      "a reason that is no text",
      sealed({ v: 1, ...whole, part: { key: "files", lists: { tools: { entries: [], leftOut: [5] } } } }),
    ],
    [
      "a hint that is none",
      sealed({ v: 1, ...whole, part: { key: "files", lists: { tools: { entries: [], ttlMs: "" } } } }),
    ],
  ])("is refused when it is %s", (_what, bytes) => {
    expect(readStoredPart(bytes).ok).toBe(false);
  });
});

function sealedText(rest: string): Buffer {
  return Buffer.from(`{"sha256":"${createHash("sha256").update(rest).digest("hex")}",${rest}`);
}
