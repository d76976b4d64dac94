import { describe, expect, test } from "vitest";
import { childEnvironment } from "../environment.js";

describe("a child's environment", () => {
  test("holds who, where and in which language, and nothing else of the gateway's (reliability.md, threat 22)", () => {
    const host = {
      PATH: "/bin",
      HOME: "/home/ada",
      LANG: "C.UTF-8",
      LC_TIME: "de_DE",
      TMPDIR: "/var/tmp",
      npm_config_registry: "https://registry.example/",
      CONNECTORS_API_KEY: "canary",
      AWS_SECRET_ACCESS_KEY: "canary",
      NODE_OPTIONS: "--inspect",
      npm_config__authToken: "canary",
      EMPTY: "",
      TZ: "",
      TERM: undefined,
    };
    expect(childEnvironment(host, {})).toEqual({
      PATH: "/bin",
      HOME: "/home/ada",
      LANG: "C.UTF-8",
      LC_TIME: "de_DE",
      TMPDIR: "/var/tmp",
      npm_config_registry: "https://registry.example/",
    });
  });

  test("gives the entry's own variables the last word", () => {
    expect(childEnvironment({ PATH: "/bin", HOME: "/a" }, { HOME: "/b", API_KEY: "s" })).toEqual({
      PATH: "/bin",
      HOME: "/b",
      API_KEY: "s",
    });
  });

  test.each(["https://user:pass@proxy.example:3128", "http://user@proxy.example"])(
    "keeps a URL with credentials back: %s",
    (url) => {
      expect(childEnvironment({ HTTPS_PROXY: url, PATH: "/bin" }, {})).toEqual({ PATH: "/bin" });
    },
  );

  test.each(["https://proxy.example:3128", "https://proxy.example/@scope", "a@b"])("passes %s on", (value) => {
    expect(childEnvironment({ HTTPS_PROXY: value, PATH: "/bin" }, {})).toEqual({ PATH: "/bin", HTTPS_PROXY: value });
  });

  test("has a PATH even if the gateway has none", () => {
    expect(childEnvironment({}, {})).toEqual({ PATH: "/usr/local/bin:/usr/bin:/bin" });
  });
});
