import { ServerInfoSchema } from "@cortex-os/mcp-core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { copiedEntry } from "../document/copied-entry.js";

test("a copy says the same and shares nothing with what it was made from (R10)", () => {
  const text = '{"name":"a","command":"x","args":["-y"],"env":{"A":"1"},"more":{"list":[{"__proto__":[1]},null]}}';
  const entry = ServerInfoSchema.parse(JSON.parse(text));
  const copy = copiedEntry(entry);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(entry));
  expect(JSON.stringify(copy)).toContain("__proto__");
  copy.args?.push("more");
  copy["more"] = undefined;
  if (copy.env !== undefined) copy.env["A"] = "2";
  expect(entry).toEqual(ServerInfoSchema.parse(JSON.parse(text)));
});

test("whatever JSON an entry holds, its copy is what structuredClone would make", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (more) => {
      const entry = ServerInfoSchema.parse({ name: "a", command: "x", more });
      expect(copiedEntry(entry)).toStrictEqual(structuredClone(entry));
    }),
  );
});
