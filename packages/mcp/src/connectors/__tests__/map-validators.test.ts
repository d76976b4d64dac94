import { describe, expect, test } from "vitest";
import { MapValidators } from "../map-validators.js";
import { signedMap } from "./service-map-set-up.js";

const map = { payload: signedMap(), generatedAtMs: 0, expiresAtMs: 0, digest: "" };
const MAP = { etag: '"1"', body: "{}", map, verifiedBy: "" };
const at = (n: number): { serviceMapUrl: string } => ({ serviceMapUrl: `https://publisher.example/${n}` });

describe("R3: the memory of maps", () => {
  test("R3: is bounded: of 33 publishers the one that was not asked for longest is forgotten", () => {
    const validators = new MapValidators();
    for (let n = 0; n < 32; n += 1) validators.remember(at(n), MAP);
    expect(validators.recall(at(0))).toBe(MAP);
    validators.remember(at(32), MAP);
    expect([0, 1, 2, 32].map((n) => validators.recall(at(n)) === MAP)).toEqual([true, false, true, true]);
  });

  test("R3: a publisher has one map, the last one", () => {
    const validators = new MapValidators(1);
    validators.remember(at(1), MAP);
    const second = { ...MAP, etag: '"2"' };
    validators.remember(at(1), second);
    expect(validators.recall(at(1))).toBe(second);
    validators.forget(at(1));
    validators.forget(at(1));
    expect(validators.recall(at(1))).toBeUndefined();
  });

  test("R3: without an API key is as with an empty one, and no joining of URL and key is another's", () => {
    const validators = new MapValidators();
    validators.remember({ serviceMapUrl: "https://a.example/x", apiKey: "y" }, MAP);
    expect(validators.recall({ serviceMapUrl: "https://a.example/xy" })).toBeUndefined();
    validators.remember(at(1), MAP);
    expect(validators.recall({ ...at(1), apiKey: "" })).toBe(MAP);
  });
});
