import { homedir, userInfo } from "node:os";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { cortexHome, mcpHome, registryPath } from "../paths.js";

describe("where the registry is (R12)", () => {
  test.each([
    ["CORTEX_HOME first", { CORTEX_HOME: "/c", XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/c/mcp/servers.json"],
    ["then XDG_CONFIG_HOME", { XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/x/cortex-os/mcp/servers.json"],
    ["then the home folder", { HOME: "/h" }, "/h/.config/cortex-os/mcp/servers.json"],
    ["empty is unset", { CORTEX_HOME: "", XDG_CONFIG_HOME: "", HOME: "/h" }, "/h/.config/cortex-os/mcp/servers.json"],
    [
      "a relative XDG_CONFIG_HOME is unset",
      { XDG_CONFIG_HOME: "x", HOME: "/h" },
      "/h/.config/cortex-os/mcp/servers.json",
    ],
    ["a relative CORTEX_HOME is taken from here", { CORTEX_HOME: "c" }, path.resolve("c/mcp/servers.json")],
    ["no variable at all", {}, path.join(homedir(), ".config/cortex-os/mcp/servers.json")],
    ["an empty HOME", { HOME: "" }, path.join(homedir(), ".config/cortex-os/mcp/servers.json")],
  ])("%s", (_, env, expected) => {
    expect(registryPath(env)).toBe(expected);
  });

  test("an empty HOME of the process itself, which Node would believe, is unset too", () => {
    vi.stubEnv("HOME", "");
    expect(homedir()).toBe("");
    expect(registryPath({})).toBe(path.join(userInfo().homedir, ".config/cortex-os/mcp/servers.json"));
  });

  test("the folders nest: home, mcp, servers.json", () => {
    const env = { CORTEX_HOME: "/c" };
    expect([cortexHome(env), mcpHome(env)]).toEqual(["/c", "/c/mcp"]);
  });

  test("without an argument the process's own environment counts", () => {
    expect(registryPath()).toBe(registryPath(process.env));
    expect([cortexHome(), mcpHome()]).toEqual([cortexHome(process.env), mcpHome(process.env)]);
  });
});
