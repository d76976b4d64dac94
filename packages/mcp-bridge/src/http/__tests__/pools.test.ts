import { silentLogger } from "@cortex-os/mcp-core";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { specFor } from "./open-link.js";
import { json, modern, result, upstream } from "./scripted-upstream.js";

/** Modules as they are before anything was sent. */
async function fresh(url: string) {
  const { HttpUpstream } = await import("../http-upstream.js");
  const { httpReply } = await import("../http-reply.js");
  const { poolsNow } = await import("../pools.js");
  const { key, timeouts } = specFor(url);
  const target = new HttpUpstream({ key, timeouts, url, headers: {} }, silentLogger);
  onTestFinished(async () => target.destroy());
  const ask = async (signal = new AbortController().signal): Promise<number> =>
    (await httpReply(target, { method: "POST", headers: [], lane: "calls", body: "{}" }, { signal, maxBytes: 9_999 }))
      .status;
  return { target, ask, isLoaded: () => poolsNow() !== undefined };
}

describe("undici, three tenths of what a start would load (decision 0026)", () => {
  beforeEach(() => {
    vi.resetModules();
  });

  test("is loaded by the first request and not by an upstream that nobody asked anything", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, {}))));
    const { ask, isLoaded } = await fresh(server.url);
    expect(isLoaded()).toBe(false);
    const asking = [ask(), ask()];
    expect(isLoaded()).toBe(false);
    await Promise.all(asking);
    expect(isLoaded()).toBe(true);
    expect(server.seen).toHaveLength(2);
  });

  test("that is being loaded sends nothing for a request that was given up, nor for an upstream that is gone", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, {}))));
    const { ask, target } = await fresh(server.url);
    const abort = new AbortController();
    const givenUp = ask(abort.signal);
    abort.abort(new Error("given up"));
    await expect(givenUp).rejects.toThrow("given up");
    const gone = ask();
    const destroyed = target.destroy();
    await expect(gone).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await destroyed;
    expect(server.seen).toEqual([]);
  });

  test("that cannot be loaded fails the request, and the next one tries again", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, {}))));
    vi.doMock("../open-pool.js", () => {
      throw new Error("no such file");
    });
    const { ask } = await fresh(server.url);
    await expect(ask()).rejects.toMatchObject({ name: "GatewayError" });
    vi.doUnmock("../open-pool.js");
    await expect(ask()).resolves.toEqual(expect.any(Number));
  });
});
