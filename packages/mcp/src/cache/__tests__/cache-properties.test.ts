import fc from "fast-check";
import { META, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";
import { expect, test } from "vitest";
import { remainingTtlMs } from "../kept-answer.js";
import { requestDigest } from "../request-digest.js";
import { CacheSetUp, resultOf } from "./cache-set-up.js";

// Properties of the key and of what is left of a time to live (2026-07-28, Caching; C2).

const params = fc
  .dictionary(
    fc.string().filter((key) => !["_meta", "uri", "inputResponses", "requestState"].includes(key)),
    fc.jsonValue(),
  )
  .map((more) => ({ ...more, uri: "x://1" }));

/** The same value with every object's members the other way round. */
function reversed(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member: JsonValue) => reversed(member) ?? null);
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
}

test("the order of members is no difference, and everything else is one", () => {
  fc.assert(
    fc.property(params, params, (one, other) => {
      const turned = reversed(one) as JsonObject;
      expect(requestDigest(turned)).toBe(requestDigest(one));
      const isSame = JSON.stringify(sortedDeep(one)) === JSON.stringify(sortedDeep(other));
      expect(requestDigest(one) === requestDigest(other)).toBe(isSame);
    }),
  );
});

test("who asks and how it is followed is no difference, whatever it is", () => {
  fc.assert(
    fc.property(params, fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (asked, meta, value) => {
      const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => !NEUTRAL.includes(key))) as JsonObject;
      const noisy = { ...kept, ...Object.fromEntries(NEUTRAL.map((key) => [key, value])) };
      expect(requestDigest({ ...asked, _meta: noisy })).toBe(requestDigest({ ...asked, _meta: kept }));
    }),
  );
});

const NEUTRAL = ["progressToken", META.clientInfo, META.logLevel, "traceparent", "tracestate"];

function sortedDeep(value: JsonValue | undefined): unknown {
  if (typeof value !== "object" || value === null) return { value };
  if (Array.isArray(value)) return value.map((member: JsonValue) => sortedDeep(member));
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => ({ key, member: sortedDeep(member) }));
}

test("what is left is a whole number that is never negative and never more than is true", () => {
  fc.assert(
    // Quarters of a millisecond that a number can hold exactly.
    fc.property(fc.maxSafeNat(), fc.nat(2 ** 50), fc.constantFrom(0, 0.25, 0.75), (ttlMs, wholeMs, partMs) => {
      const left = remainingTtlMs(ttlMs, wholeMs + partMs);
      expect(Number.isSafeInteger(left) && left >= 0).toBe(true);
      // What has begun of a millisecond is gone, and no more than that.
      const begunMs = wholeMs + (partMs > 0 ? 1 : 0);
      expect(left).toBe(begunMs >= ttlMs ? 0 : Number(BigInt(ttlMs) - BigInt(begunMs)));
    }),
  );
});

test("however the clocks move, no client is told a time that ends later than the upstream's", async () => {
  const step = fc.record({ advance: fc.nat(40_000), jump: fc.integer({ min: -100_000, max: 100_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const setUp = new CacheSetUp();
      const connected = setUp.connector();
      connected.readThrough(resultOf("x", { ttlMs: 60_000 }));
      const askedMs = setUp.time.elapsedMs();
      for (const { advance, jump } of steps) {
        await setUp.time.advance(advance);
        setUp.time.jump(jump);
        const again = connected.read();
        if (again.upstream !== undefined) return;
        const { ttlMs } = again.answer()["result"] as { ttlMs: number };
        expect(ttlMs).toBeGreaterThan(0);
        expect(setUp.time.elapsedMs() + ttlMs).toBeLessThanOrEqual(askedMs + 60_000);
      }
    }),
    { numRuns: 60 },
  );
});

test("a clock that is set back does not make an answer young again", () => {
  const setUp = new CacheSetUp();
  setUp.time.jump(-1_000_000);
  const connected = setUp.connector();
  connected.readThrough(resultOf());
  setUp.time.jump(-1_000_000);
  expect(connected.read().answer()["result"]).toMatchObject({ ttlMs: 60_000 });
});
