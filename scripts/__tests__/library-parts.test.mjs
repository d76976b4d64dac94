import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { PARTS } from "../library-parts.mjs";
import { root } from "../workspace.mjs";

const load = createRequire(path.join(root, "packages/mcp/package.json"));

/** What a part is besides being exported by the entry: needed to put the library together. */
const OWN = new Set(["api"]);

describe.each(Object.entries(PARTS))("the parts of %s that the bundle takes", (library, { files }) => {
  const entry = load(library);
  const exported = Object.entries(files).filter(([name]) => !OWN.has(name));

  test.each(exported)("%s is what the entry exports", (name, file) => {
    expect(load(`${library}/${file}`)).toBe(entry[name]);
  });
});

test("undici's entry gives every dispatcher the methods of its API, and so does the bundle", () => {
  const { Dispatcher } = load("undici");
  const api = load("undici/lib/api/index.js");
  expect(Object.keys(api).toSorted()).toEqual(["connect", "pipeline", "request", "stream", "upgrade"]);
  for (const [name, method] of Object.entries(api)) expect(Dispatcher.prototype[name]).toBe(method);
});

test("prom-client's register is its registry's global one", () => {
  const { register, Registry } = load("prom-client");
  expect(register).toBe(Registry.globalRegistry);
});
