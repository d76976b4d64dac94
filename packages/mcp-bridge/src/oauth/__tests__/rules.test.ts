import { describe, expect, test } from "vitest";
import { judgeBrowserUrl, judgeUrl } from "../address-rules.js";
import { bearerChallenge, wantedBy } from "../challenge.js";
import { isMore, scopeUnion } from "../scopes.js";

describe("where metadata and tokens may be asked for", () => {
  const of = (resource: string, issuer?: string) => ({
    resource: new URL(resource),
    ...(issuer === undefined ? {} : { issuer: new URL(issuer) }),
  });
  const far = of("https://mcp.example/mcp");
  const near = of("http://127.0.0.1:80/mcp");

  test.each([
    ["https of anybody in public", "https://login.example/x", far, "public"],
    ["http on another machine", "http://login.example/x", far, "no"],
    ["http on another machine, for an upstream on this one", "http://login.example/x", near, "no"],
    ["http on this machine, for an upstream on this one", "http://localhost:8/x", near, "any"],
    ["http on this machine, for an upstream elsewhere", "http://localhost:8/x", far, "no"],
    ["https on this machine, for an upstream elsewhere", "https://localhost/x", far, "no"],
    ["a private address", "https://10.0.0.1/x", far, "no"],
    ["a private address in another spelling", "https://0x0a000001/x", far, "no"],
    ["the host service of a cloud", "https://169.254.169.254/x", far, "no"],
    ["loopback in IPv6 that maps IPv4", "https://[::ffff:127.0.0.1]/x", far, "no"],
    ["a user name", "https://me@login.example/x", far, "no"],
    ["a file", "file:///etc/passwd", near, "no"],
    ["a private upstream's own origin", "https://10.0.0.1/x", of("https://10.0.0.1/mcp"), "any"],
    ["another port of a private upstream's", "https://10.0.0.1:8443/x", of("https://10.0.0.1/mcp"), "no"],
    [
      "a private issuer that was configured",
      "https://10.0.0.2/x",
      of("https://10.0.0.1/mcp", "https://10.0.0.2"),
      "any",
    ],
  ])("%s", (_, url, places, expected) => {
    const verdict = judgeUrl(new URL(url), places);
    expect(verdict.ok ? (verdict.publicOnly ? "public" : "any") : "no").toBe(expected);
  });

  test.each([
    ["https://login.example", far, true],
    ["http://login.example", far, false],
    ["http://localhost:8", near, true],
    ["javascript:alert(1)", near, false],
    ["data:text/html,x", near, false],
    ["file:///etc/passwd", near, false],
    ["vscode://x", near, false],
  ])("a browser is sent to %s: %s", (url, places, expected) => {
    expect(judgeBrowserUrl(new URL(url), places)).toBe(expected);
  });
});

describe("a challenge", () => {
  test.each<[string | undefined, unknown]>([
    [undefined, undefined],
    ['Basic realm="x"', undefined],
    ["Bearer", {}],
    ["bearer realm=x", {}],
    [
      'Bearer resource_metadata="https://a.example/x", scope="a b"',
      { resourceMetadata: "https://a.example/x", scope: "a b" },
    ],
    ['Basic realm="x", Bearer error="invalid_token", scope=one', { error: "invalid_token", scope: "one" }],
    ['Bearer scope="a \\"b\\"", scope="second"', { scope: 'a "b"' }],
  ])("%j is read as %j", (header, expected) => {
    expect(bearerChallenge(header)).toEqual(expected);
  });

  test.each<[401 | 403, string | undefined, boolean]>([
    [401, undefined, true],
    [401, "Bearer", true],
    [401, "Basic realm=x", false],
    [403, undefined, false],
    [403, 'Bearer error="invalid_token"', false],
    [403, 'Bearer error="insufficient_scope"', true],
  ])("HTTP %i with %j is about OAuth: %s", (status, header, expected) => {
    expect(wantedBy(status, header) !== undefined).toBe(expected);
  });
});

test("scopes are joined in their order, each once, and compared as sets", () => {
  expect(scopeUnion("a b", undefined, "b  c", "")).toBe("a b c");
  expect(scopeUnion(undefined, "")).toBeUndefined();
  expect([isMore("a b", "b a"), isMore("a c", "b a"), isMore(undefined, "a"), isMore("a", undefined)]).toEqual([
    false,
    true,
    false,
    true,
  ]);
});
