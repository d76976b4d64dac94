import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { errnoOf, registryIoError } from "../io-error.js";

const refused = (code: unknown): Error => Object.assign(new Error("open failed"), { code });

describe("a REGISTRY_IO error says what, where and what to do", () => {
  test.each([
    ["ENOSPC", "cannot write /f: no space left on the device: free some and try again"],
    ["EACCES", "cannot write /f: permission denied: check who owns the file and its folder"],
    ["EWHATEVER", "cannot write /f: open failed"],
    [7, "cannot write /f: open failed"],
  ])("%s", (code, message) => {
    const cause = refused(code);
    expect(registryIoError("write", "/f", cause)).toMatchObject({ code: "REGISTRY_IO", message, cause });
  });

  test("what was thrown and is no error still gives one", () => {
    expect(registryIoError("read", "/f", undefined)).toMatchObject({ message: "cannot read /f: unknown error" });
    expect(errnoOf("ENOENT")).toBeUndefined();
  });

  test("one of ours passes as it is", () => {
    const ours = new GatewayError("REGISTRY_IO", "said already");
    expect(registryIoError("read", "/f", ours)).toBe(ours);
  });
});
