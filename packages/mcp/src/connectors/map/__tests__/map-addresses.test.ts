import { describe, expect, test } from "vitest";
import { judgeAddress } from "../map-addresses.js";

const PUBLIC_MAP = "https://maps.example";
const LOCAL_MAP = "http://127.0.0.1:8080";

const judge = (url: string, mapOrigin = PUBLIC_MAP, allowedOrigins?: readonly string[]) =>
  judgeAddress(new URL(url), { mapOrigin, allowedOrigins });

/** Sixty spellings of this machine and of networks that nobody outside may name (reliability.md, threat 15). */
const LOCAL_HOSTS = [
  ["127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "127.0.0.1.", "0x7f.1", "0x7f000001", "0X7f.0.0.1"],
  ["0177.0.0.1", "017700000001", "2130706433", "%31%32%37.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "0", "0.0.0.0"],
  ["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
  ["[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"],
  ["localhost", "LOCALHOST", "localhost.", "api.localhost", "a.b.localhost.", "10.0.0.1", "10.255.255.255", "012.1"],
  ["172.16.0.1", "172.31.255.254", "192.168.0.1", "3232235521", "0xc0a80001", "[::ffff:10.0.0.1]", "100.64.0.1"],
  ["100.127.255.254", "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fec0::1]"],
  ["[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "192.0.2.1", "198.18.0.1", "224.0.0.1"],
  ["240.0.0.1", "255.255.255.255", "203.0.113.1", "192.0.0.8"],
].flat();

describe("the addresses of the map's connectors", () => {
  test("there are as many spellings as the bar asks for", () => {
    expect(new Set(LOCAL_HOSTS).size).toBeGreaterThanOrEqual(60);
  });

  test.each(LOCAL_HOSTS)("%s is refused, over http and https, and what would allow it is named", (host) => {
    for (const scheme of ["http", "https"]) {
      const { origin } = new URL(`${scheme}://${host}/`);
      expect(judge(`${scheme}://${host}/mcp?token=s3cret`)).toEqual({
        ok: false,
        reason: expect.stringMatching(
          /^its address \S+ is not public; add \S+ to serviceMap\.allowedOrigins if it is meant$/,
        ),
      });
      expect(judge(`${scheme}://${host}/mcp`, PUBLIC_MAP, [origin])).toEqual({ ok: true, publicOnly: false });
      expect(judge(`${scheme}://${host}:81/mcp`, PUBLIC_MAP, [origin])).toMatchObject({ ok: false });
    }
  });

  test("a public one is https, and connected to only if it really is public", () => {
    expect(judge("https://tools.example/mcp")).toEqual({ ok: true, publicOnly: true });
    expect(judge("https://1.1.1.1/mcp")).toEqual({ ok: true, publicOnly: true });
    expect(judge("http://tools.example:8080/mcp")).toEqual({
      ok: false,
      reason:
        "its address is plain http; publish it with https, or add http://tools.example:8080 to serviceMap.allowedOrigins if it is meant",
    });
    expect(judge("http://tools.example/mcp", PUBLIC_MAP, ["http://tools.example"])).toEqual({
      ok: true,
      publicOnly: false,
    });
  });

  test("a map from loopback may name loopback, and nothing else that is not public", () => {
    for (const host of ["127.0.0.1:1", "localhost:2", "[::1]:3", "0x7f.1:4", "x.localhost:5"]) {
      for (const map of [LOCAL_MAP, "http://localhost:9", "http://[::1]:9"])
        expect(judge(`http://${host}/mcp`, map)).toEqual({ ok: true, publicOnly: false });
      expect(judge(`http://${host}/mcp`, "http://10.0.0.1")).toMatchObject({ ok: false });
    }
    for (const host of ["10.0.0.1", "169.254.169.254", "[fe80::1]", "0.0.0.0"])
      expect(judge(`http://${host}/mcp`, LOCAL_MAP)).toMatchObject({ ok: false });
  });

  test("a list of allowed origins takes the place of that default", () => {
    expect(judge("http://127.0.0.1:1/mcp", LOCAL_MAP, [])).toMatchObject({ ok: false });
    expect(judge("http://127.0.0.1:1/mcp", LOCAL_MAP, ["http://127.0.0.1:1/"])).toMatchObject({ ok: true });
  });

  test("one that holds a user or a password is refused wherever it leads, and not shown", () => {
    for (const url of [
      "https://s3cret@tools.example/",
      "https://:s3cret@tools.example/",
      "http://s3cret:x@127.0.0.1:1/",
    ]) {
      const verdict = judge(url, LOCAL_MAP);
      expect(verdict).toMatchObject({ ok: false, reason: expect.stringContaining("user or a password") });
      expect(JSON.stringify(verdict)).not.toContain("s3cret");
    }
  });

  test("an origin of the map that is no URL is not loopback", () => {
    expect(judge("http://127.0.0.1/", "nonsense")).toMatchObject({ ok: false });
  });
});
