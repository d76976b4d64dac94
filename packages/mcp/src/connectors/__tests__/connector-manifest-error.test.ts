import { GatewayError, toJsonRpcError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import { shownUrl } from "../shown-url.js";

describe("R3: ConnectorManifestError", () => {
  test("R3: says what, where, by which rule and what to do", () => {
    const url = "https://user:pw@publisher.example:8443/map?token=1#part";
    const error = new ConnectorManifestError("timeout", "no whole answer within 5000 ms", { url });
    expect(error.message).toBe(
      "Service map https://publisher.example:8443/map: no whole answer within 5000 ms (rule: timeout). Check the publisher and the way to it.",
    );
    expect(error).toMatchObject({ rule: "timeout", code: "SERVICE_MAP", name: "ConnectorManifestError" });
    expect([GatewayError.is(error), error instanceof Error, error.detail, error.cause]).toEqual([
      true,
      true,
      undefined,
      undefined,
    ]);
  });

  test("R3: without a URL it is one of no particular place; details and causes are for operators", () => {
    const cause = new Error("inner");
    const error = new ConnectorManifestError("no-map", "nothing was accepted so far", { detail: "since 12:00", cause });
    expect(error.message).toBe(
      "Service map: nothing was accepted so far: since 12:00 (rule: no-map). Check the publisher; it is tried again by itself.",
    );
    expect(error).toMatchObject({ reason: "nothing was accepted so far", detail: "since 12:00", cause });
  });

  test("R3: an error code is said once", () => {
    const reason = "nothing listens there (ECONNREFUSED)";
    const { message, ...told } = new ConnectorManifestError("network", reason, {
      detail: "connect ECONNREFUSED ::1:81",
    });
    expect(message).toContain(`Service map: ${reason}: connect ::1:81 (rule: network).`);
    expect(told).toMatchObject({ reason });
    const other = new ConnectorManifestError("network", reason, { detail: "connect", advice: "Do this." });
    expect(other.message).toBe("Service map: nothing listens there (ECONNREFUSED): connect (rule: network). Do this.");
  });

  test("R3: clients see nothing of it", () => {
    const error = new ConnectorManifestError("network", "nothing listens there", { url: "http://10.0.0.7/map" });
    expect(toJsonRpcError(error)).toEqual({ code: -32_603, message: "Internal error" });
  });
});

test.each([
  ["https://a.example", "https://a.example/"],
  ["http://user:pw@a.example:81/x/y?z=1#w", "http://a.example:81/x/y"],
  ["not a URL?token=1", "(not a URL)"],
])("of the URL %s the part that is shown is %s", (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
