import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../cursor.js";

describe("the cursor", () => {
  test("is read back as the key it was made of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (key) => {
        expect(decodeCursor(encodeCursor(key))).toBe(key);
      }),
    );
  });

  test("is valid when empty, and means the start", () => {
    expect(decodeCursor("")).toBe("");
  });

  test.each(["!", "a=", "YQ==", "a b", "é", "_w", "YR", "eyJwYWdlIjogM30=", "a".repeat(5)])(
    "refuses %j, which no encoder of ours writes",
    (foreign) => {
      expect(decodeCursor(foreign)).toBeUndefined();
    },
  );

  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (any) => {
        const key = decodeCursor(any);
        if (key !== undefined) expect(encodeCursor(key)).toBe(any);
      }),
    );
  });
});
