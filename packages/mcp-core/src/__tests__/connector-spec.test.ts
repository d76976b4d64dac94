import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_TIMEOUTS, specFingerprint, type ConnectorSpec, type ConnectorTransport } from "../connector-spec.js";

const stdio = {
  kind: "stdio",
  command: "node",
  args: ["a.js", "--x"],
  env: { TOKEN: "s3cr3t-of-env", LEVEL: "1" },
  cwd: "/srv",
} as const satisfies ConnectorTransport;
const http = {
  kind: "http",
  url: "https://example.com/mcp",
  headers: { Authorization: "Bearer s3cr3t-of-header", "X-A": "1" },
} as const satisfies ConnectorTransport;

const specOf = (transport: ConnectorTransport, more: Partial<ConnectorSpec> = {}): ConnectorSpec => ({
  key: "a",
  source: "registry",
  transport,
  disabled: false,
  timeouts: DEFAULT_TIMEOUTS,
  isolation: "shared",
  ...more,
});

const fingerprintWith = (env: readonly (readonly [string, string])[]): string =>
  specFingerprint(specOf({ ...stdio, env: Object.fromEntries(env) }));

test("the default timeouts are design.md's", () => {
  expect(DEFAULT_TIMEOUTS).toEqual({
    connectMs: 5_000,
    listMs: 30_000,
    callMs: 300_000,
    callMaxMs: 3_600_000,
    startMs: 60_000,
  });
});

describe("specFingerprint (R6: what changed is reconnected, what did not is left alone)", () => {
  test("does not depend on the order of env, headers, timeouts or the spec's own members", () => {
    const env = { LEVEL: "1", TOKEN: "s3cr3t-of-env" };
    expect(specFingerprint(specOf({ ...stdio, env }))).toBe(specFingerprint(specOf(stdio)));
    const headers = { "X-A": "1", Authorization: "Bearer s3cr3t-of-header" };
    expect(specFingerprint(specOf({ ...http, headers }))).toBe(specFingerprint(specOf(http)));
    const { key, ...rest } = specOf(http);
    expect(specFingerprint({ ...rest, key })).toBe(specFingerprint(specOf(http)));
  });

  test("changes with each single value", () => {
    const { cwd: _, ...withoutCwd } = stdio;
    const specs = [
      specOf(stdio),
      specOf({ ...stdio, command: "deno" }),
      specOf({ ...stdio, args: ["--x", "a.js"] }),
      specOf({ ...stdio, args: ["a.js --x"] }),
      specOf({ ...stdio, args: [] }),
      specOf({ ...stdio, env: { ...stdio.env, TOKEN: "other" } }),
      specOf({ ...stdio, env: { ...stdio.env, MORE: "" } }),
      specOf({ ...stdio, env: { TOKEN: "1", LEVEL: "s3cr3t-of-env" } }),
      specOf({ ...stdio, env: {} }),
      specOf({ ...stdio, cwd: "/" }),
      specOf(withoutCwd),
      specOf(http),
      specOf({ ...http, url: "https://example.com/mcp/" }),
      specOf({ ...http, headers: { ...http.headers, "X-A": "2" } }),
      specOf({ ...http, headers: { ...http.headers, "X-B": "1" } }),
      specOf({ kind: "unsupported", reason: "x" }),
      specOf({ kind: "unsupported", reason: "y" }),
      specOf(http, { key: "b" }),
      specOf(http, { source: "map" }),
      specOf(http, { disabled: true }),
      specOf(http, { isolation: "session" }),
      specOf(http, { isolation: "principal" }),
      ...Object.keys(DEFAULT_TIMEOUTS).map((name) => specOf(http, { timeouts: { ...DEFAULT_TIMEOUTS, [name]: 1 } })),
    ];
    expect(new Set(specs.map(specFingerprint)).size).toBe(specs.length);
  });

  test("is the same for the same env in any order and differs when one value does, a key called __proto__ included", () => {
    const entries = fc.uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.constant("__proto__")), fc.string()), {
      selector: ([key]) => key,
      minLength: 1,
    });
    fc.assert(
      fc.property(entries, fc.nat(), (pairs, at) => {
        expect(fingerprintWith(pairs.toReversed())).toBe(fingerprintWith(pairs));
        const changed = pairs.map(([key, value], n) => [key, n === at % pairs.length ? `${value}!` : value] as const);
        expect(fingerprintWith(changed)).not.toBe(fingerprintWith(pairs));
      }),
    );
  });

  test.each([stdio, http])("is a hash that shows nothing of the secrets in a $kind spec", (transport) => {
    const fingerprint = specFingerprint(specOf(transport));
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint).not.toContain("s3cr3t");
  });
});
