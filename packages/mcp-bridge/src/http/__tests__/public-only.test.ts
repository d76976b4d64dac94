import { silentLogger } from "@cortex-os/mcp-core";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { LOCAL_URLS } from "../../address/__tests__/addresses.js";
import { proxyTo } from "../../runtime/__tests__/proxy-to.js";
import type { LookupAll } from "../../address/public-only-lookup.js";
import { httpReply } from "../http-reply.js";
import { HttpUpstream } from "../http-upstream.js";
import { specFor } from "./open-link.js";
import { json, modern, result, upstream } from "./scripted-upstream.js";

const good = modern((seen, res) => json(res, 200, result(seen, {})));

const publicOnly = (url: string) => {
  const spec = specFor(url);
  return {
    ...spec,
    transport: { kind: "http" as const, url, headers: { authorization: "Bearer s3cret" }, publicOnly: true },
  };
};

describe("a connector that may be reached at public addresses only (reliability.md, threats 8 and 15)", () => {
  test.each(LOCAL_URLS)("is not reached at %s", async (url) => {
    const { proxy } = proxyTo(url, { spec: publicOnly(url) });
    await expect(proxy.connect()).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("its address is not public"),
    });
    expect(proxy.state).not.toHaveProperty("retryAt");
  });

  test("is not reached where a name leads to this machine, with an agent injected or not", async () => {
    const server = await upstream(good);
    const url = server.url.replace("127.0.0.1", "tools.example");
    const asked: string[] = [];
    const lookupAll: LookupAll = (hostname, _options, done) => {
      asked.push(hostname);
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    // An injected agent is not used: nobody could say what that connects to.
    const agent = new Agent();
    onTestFinished(async () => agent.close());
    for (const injected of [undefined, agent]) {
      const { transport, key, timeouts } = publicOnly(url);
      const guarded = new HttpUpstream({ ...transport, key, timeouts }, silentLogger, injected, lookupAll);
      onTestFinished(async () => guarded.destroy());
      const { signal } = new AbortController();
      const asking = httpReply(guarded, { method: "POST", headers: [], lane: "calls" }, { signal, maxBytes: 100 });
      await expect(asking).rejects.toThrow("cannot be reached: its address is not public");
    }
    expect([asked, server.seen, Object.keys(agent.stats)]).toEqual([["tools.example", "tools.example"], [], []]);
    await proxyTo(server.url).proxy.connect();
    expect(server.seen).not.toEqual([]);
  });
});
