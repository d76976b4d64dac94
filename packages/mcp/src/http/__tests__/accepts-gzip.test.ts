import { describe, expect, test } from "vitest";
import { acceptsGzip, isElsewhere } from "../accepts-gzip.js";

const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}): boolean =>
  isElsewhere({ socket: { remoteAddress }, headers });

describe("a client on another machine", () => {
  test.each<[string | undefined, boolean]>([
    ["127.0.0.1", false],
    ["127.8.9.1", false],
    ["::1", false],
    ["::ffff:127.0.0.1", false],
    [undefined, false],
    ["192.0.2.7", true],
    ["12.7.0.0", true],
    ["::ffff:192.0.2.7", true],
    ["2001:db8::1", true],
  ])("is told by its address: %s", (address, elsewhere) => {
    expect(from(address)).toBe(elsewhere);
  });

  test.each(["x-forwarded-for", "forwarded", "via"])("is told by what a proxy before us says: %s", (name) => {
    expect(from("127.0.0.1", { [name]: "anything" })).toBe(true);
  });
});

describe("gzip is taken", () => {
  test.each<[string | undefined, boolean]>([
    ["gzip", true],
    ["gzip, deflate", true],
    ["br, GZIP ; q=0.5", true],
    ["br;q=1.0, gzip;q=0.001", true],
    ["gzip;q=0", false],
    ["gzip;q=0.000, *", false],
    ["gzip;q=nonsense", false],
    ["deflate, br", false],
    ["xgzip", false],
    ["*", false],
    ["", false],
    [undefined, false],
  ])("by Accept-Encoding: %s", (header, accepted) => {
    expect(acceptsGzip(header)).toBe(accepted);
  });
});
