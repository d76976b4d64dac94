import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointOf } from "../endpoint.js";

const ADDRESS = "https://host.test:8443/a/sse?tenant=1";

describe("where an endpoint event sends messages (R8)", () => {
  test.each([
    ["/messages?session=1", "/messages?session=1"],
    ["messages/?session_id=1", "/a/messages/?session_id=1"],
    ["?session=1", "/a/sse?session=1"],
    ["https://host.test:8443/m?s=1#x", "/m?s=1"],
    ["https://someone:secret@host.test:8443/m", "/m"],
    ["//host.test:8443/m", "/m"],
    [" /m ", "/m"],
  ])("%s is %s at the connector's own origin", (uri, path) => {
    expect(endpointOf(ADDRESS, uri)).toEqual({ ok: true, path });
  });

  test.each([
    ["https://evil.test/m", '(upstream text: "https://evil.test")'],
    ["https://host.test/m", '(upstream text: "https://host.test")'],
    ["http://host.test:8443/m", '(upstream text: "http://host.test:8443")'],
    ["//evil.test/m", '(upstream text: "https://evil.test")'],
    ["https:\\\\evil.test\\m", '(upstream text: "https://evil.test")'],
    ["file:///etc/passwd", '(upstream text: "null")'],
    ["https://", '(upstream text: "https://")'],
  ])("%s is refused: a credential never goes to another host", (uri, text) => {
    expect(endpointOf(ADDRESS, uri)).toEqual({ ok: false, reason: expect.stringContaining(text) });
  });

  test("more than 8,192 characters are refused, and not quoted (R8)", () => {
    const longest = `/${"m".repeat(8_191)}`;
    expect(endpointOf(ADDRESS, longest)).toEqual({ ok: true, path: longest });
    expect(endpointOf(ADDRESS, `${longest}m`)).toEqual({
      ok: false,
      reason: "names an address for messages of more than 8192 characters",
    });
  });

  test("whatever it says, a path of the connector's origin is all that comes of it", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (uri) => {
        const endpoint = endpointOf(ADDRESS, uri);
        if (endpoint.ok) expect(endpoint.path.startsWith("/")).toBe(true);
      }),
    );
  });
});
