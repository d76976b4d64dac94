import { GatewayError } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstream } from "../../__tests__/support/test-upstreams.js";
import { ownUri } from "../../catalog/own-uri.js";
import { ResourceWatches, type UriReader } from "../resource-watches.js";

const upstream = (key: string): TestUpstream =>
  new TestUpstream(specOf(key), {
    onAvailability: () => {},
    onListChanged: () => {},
    onNotification: () => {},
    onQuestion: () => undefined,
    onIsolated: () => {},
    onAsleep: () => {},
  });

/** Watches over connectors a and b; `x:…` is a's, `y:…` is b's, and `cortex://a/…` as well. */
function setUp({ maxWatchers }: { readonly maxWatchers?: number } = {}) {
  const living = new Map([
    ["a", upstream("a")],
    ["b", upstream("b")],
  ]);
  const logger = new RecordingLogger();
  const scope: UriReader = {
    addressOf: ownUri,
    resolve: (uri) => {
      const own = uri.replace(/^cortex:\/\/a\//, "");
      if (own.startsWith("x:")) return { connector: "a", uri: own };
      if (own.startsWith("y:")) return { connector: "b", uri: own };
      return new GatewayError("INVALID_PARAMS", `Unknown resource: ${uri}`);
    },
  };
  const bound = maxWatchers === undefined ? {} : { maxWatchers };
  const watches = new ResourceWatches({ upstreamOf: (key) => living.get(key), logger, ...bound });
  const of = (key: string): TestUpstream => {
    const found = living.get(key);
    if (found === undefined) throw new Error(`no ${key}`);
    return found;
  };
  const heard: JsonObject[] = [];
  const listen = (params: JsonObject): void => void heard.push(params);
  return { scope, watches, living, of, logger, heard, listen };
}

describe("resources that clients listen to (R22)", () => {
  test("are asked of their upstream once, and no longer than one listens", async () => {
    const { scope, watches, of, listen } = setUp();
    const first = await watches.watch(scope, "x:1", listen);
    const second = await watches.watch(scope, "x:1", listen);
    expect(of("a").subscriptions).toEqual(["x:1"]);
    first();
    first();
    await settle();
    expect(of("a").subscriptions).toEqual(["x:1"]);
    second();
    await settle();
    expect(of("a").subscriptions).toEqual(["x:1", "-x:1"]);
    expect(watches.size).toBe(0);
  });

  test("somebody who comes while the last one leaves is not left without", async () => {
    const { scope, watches, of, listen, heard } = setUp();
    const first = await watches.watch(scope, "x:1", listen);
    first();
    await watches.watch(scope, "x:1", listen);
    await settle();
    expect(of("a").subscriptions.at(-1)).toBe("x:1");
    expect(watches.size).toBe(1);
    watches.updated("a", { uri: "x:1" });
    expect(heard).toEqual([{ uri: "x:1" }]);
  });

  test("tell their listeners under the URI that each asked for, and nobody else", async () => {
    const { scope, watches, listen, heard } = setUp();
    await watches.watch(scope, "cortex://a/x:1", listen);
    await watches.watch(scope, "y:1", listen);
    watches.updated("a", { uri: "x:1", "x-own": 1, _meta: { [META.subscriptionId]: 4 } });
    watches.updated("b", { uri: "x:1" });
    watches.updated("a", { uri: "y:1" });
    watches.updated("a", {});
    expect(heard).toEqual([{ uri: "cortex://a/x:1", "x-own": 1 }]);
  });

  test("a part of what is watched is told as what it is", async () => {
    const { scope, watches, listen, heard } = setUp();
    await watches.watch(scope, "x:dir", listen);
    watches.updated("a", { uri: "x:dir/file", _meta: { [META.subscriptionId]: 1, kept: true } });
    await watches.watch(scope, "cortex://a/x:dir", listen);
    watches.updated("a", { uri: "x:dir/file" });
    expect(heard).toEqual([
      { uri: "x:dir/file", _meta: { kept: true } },
      { uri: "x:dir/file" },
      { uri: "cortex://a/x%3Adir%2Ffile" },
    ]);
  });

  test("one that nobody has, or whose upstream refuses, is refused, and leaves nothing behind", async () => {
    const { scope, watches, of, listen } = setUp();
    await expect(watches.watch(scope, "z:1", listen)).rejects.toThrow("Unknown resource");
    of("a").subscribeFailure = new GatewayError("UPSTREAM_PROTOCOL", "it does not tell");
    await expect(watches.watch(scope, "x:1", listen)).rejects.toThrow("it does not tell");
    await settle();
    expect(watches.size).toBe(0);
    of("a").subscribeFailure = undefined;
    await watches.watch(scope, "x:1", listen);
    expect(of("a").subscriptions).toEqual(["x:1", "x:1"]);
  });

  test("a connector that was replaced is asked anew, once; what it refuses is said in the log", async () => {
    const { scope, watches, living, listen, logger, of } = setUp();
    await watches.watch(scope, "x:1", listen);
    watches.follow();
    await settle();
    expect(of("a").subscriptions).toEqual(["x:1"]);
    living.delete("a");
    watches.follow();
    const next = upstream("a");
    living.set("a", next);
    watches.follow();
    watches.follow();
    await settle();
    expect(next.subscriptions).toEqual(["x:1"]);
    const last = upstream("a");
    last.subscribeFailure = new Error("no");
    living.set("a", last);
    watches.follow();
    await settle();
    expect(logger.messages("warn")).toEqual(["A resource that clients listen to is not told of any more"]);
  });

  test("one of a connector that is not there yet is asked for when it is", async () => {
    const { scope, watches, living, listen } = setUp();
    living.clear();
    await watches.watch(scope, "x:1", listen);
    const late = upstream("a");
    living.set("a", late);
    watches.follow();
    await settle();
    expect(late.subscriptions).toEqual(["x:1"]);
  });

  test("are bounded in all: one more is refused, and may come when another has gone", async () => {
    const { scope, watches, of, listen } = setUp({ maxWatchers: 2 });
    const first = await watches.watch(scope, "x:1", listen);
    await watches.watch(scope, "x:1", listen);
    await expect(watches.watch(scope, "x:2", listen)).rejects.toMatchObject({
      code: "LIMITED",
      message: expect.stringContaining("Clients listen to 2 resources already"),
      data: { retryAfterMs: 1_000 },
    });
    expect(of("a").subscriptions).toEqual(["x:1"]);
    first();
    first();
    of("a").subscribeFailure = new Error("no");
    await expect(watches.watch(scope, "x:2", listen)).rejects.toThrow("no");
    of("a").subscribeFailure = undefined;
    await watches.watch(scope, "x:2", listen);
    await expect(watches.watch(scope, "x:3", listen)).rejects.toMatchObject({ code: "LIMITED" });
  });
});
