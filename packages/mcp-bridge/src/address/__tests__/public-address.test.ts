import { describe, expect, test } from "vitest";
import { isLoopbackHost, isPublicAddress, mayBePublicHost } from "../public-address.js";
import { LOCAL_URLS, PUBLIC_ADDRESSES } from "./addresses.js";

const hostOf = (url: string): string => new URL(url).hostname;

describe("which addresses are public (reliability.md, threat 15)", () => {
  test("there are as many spellings in the list as the bar asks for", () => {
    expect(new Set(LOCAL_URLS).size).toBeGreaterThanOrEqual(60);
  });

  test.each(LOCAL_URLS)("the host of %s is not", (url) => {
    expect(mayBePublicHost(hostOf(url))).toBe(false);
  });

  test.each(PUBLIC_ADDRESSES)("%s is", (ip) => {
    expect(isPublicAddress(ip)).toBe(true);
    expect(mayBePublicHost(ip.includes(":") ? `[${ip}]` : ip)).toBe(true);
  });

  test.each(["", "example.com", "[::1]", "127.1", "0x7f.1", "1.2.3", "1.2.3.4.5", "1.2.3.4/8", "::g"])(
    "%j, which is no address, is not",
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );

  test.each(["example.com", "localhost.example.com", "notlocalhost", "1e100.net", "xn--bcher-kva.example"])(
    "the name %s may be: what it leads to is asked when it is looked up",
    (name) => {
      expect(mayBePublicHost(name)).toBe(true);
      expect(isLoopbackHost(name)).toBe(false);
    },
  );
});

describe("the services of a cloud's own host, which hand out credentials", () => {
  test.each(["168.63.129.16", "[::ffff:168.63.129.16]", "0xa83f8110", "169.254.169.254", "100.100.100.200"])(
    "the address %s is not public",
    (host) => {
      expect(mayBePublicHost(hostOf(`http://${host}/`))).toBe(false);
    },
  );

  test.each(["metadata.google.internal", "METADATA.google.internal.", "metadata", "instance-data", "metadata.goog"])(
    "the name %s may not be public, whatever a resolver makes of it",
    (name) => {
      expect(mayBePublicHost(name)).toBe(false);
      expect(isLoopbackHost(name)).toBe(false);
    },
  );

  test.each(["168.63.129.17", "metadata.example.com", "internal.example.com", "notinternal"])("%s may be", (host) => {
    expect(mayBePublicHost(host)).toBe(true);
  });
});

describe("which hosts are this machine's loopback", () => {
  test.each(["127.0.0.1", "127.255.255.254", "[::1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST.", "a.b.localhost"])(
    "%s is",
    (hostname) => {
      expect(isLoopbackHost(hostname)).toBe(true);
    },
  );

  test.each(["10.0.0.1", "0.0.0.0", "169.254.169.254", "[fd00::1]", "8.8.8.8", "[2606:4700::1111]", "[::7f00:1]"])(
    "%s is not",
    (hostname) => {
      expect(isLoopbackHost(hostname)).toBe(false);
    },
  );
});
