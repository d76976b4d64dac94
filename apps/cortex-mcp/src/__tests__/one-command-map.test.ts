import { describe, expect, test } from "vitest";
import { CANARY_KEY, connector, publishing } from "./publishing.js";
import { fixture, serving, untilState } from "./serving.js";
import { createTestIo } from "./test-io.js";

describe("with no gateway running, tools and call", () => {
  test("fetch the service map that is not kept yet, and serve its connectors", async () => {
    const [mapped, own] = [await fixture(), await fixture()];
    const map = await publishing([connector("docs", mapped.url)]);
    const io = await createTestIo({ env: map.env });
    await io.run("add", "own", own.url);
    const tools = await io.run("tools");
    expect(tools.out).toMatch(/^docs__echo /m);
    expect(tools.out).toMatch(/^own__echo /m);
    expect(tools.out).toMatch(/tools of 2 of 2 servers\.$/);
    expect(tools.err).toBe("");
    await map.close();
    // Kept: the publisher is not needed.
    expect((await io.run("call", "docs__echo", '{"message":"hi"}')).out).toBe("hi");
  });

  test("start only the connector that is called, whichever source names it", async () => {
    const [mapped, own, other] = [await fixture(), await fixture(), await fixture()];
    const map = await publishing([connector("docs", mapped.url), connector("more", other.url)]);
    const io = await createTestIo({ env: map.env });
    await io.run("add", "own", own.url);
    const { stop } = await serving(io);
    await untilState(io, "docs", "up");
    await untilState(io, "more", "up");
    await untilState(io, "own", "up");
    await stop();
    const before = JSON.stringify([own.requests, other.requests]);
    expect((await io.run("call", "docs__echo", '{"message":"hi"}')).out).toBe("hi");
    expect(JSON.stringify([own.requests, other.requests])).toBe(before);
    const mappedBefore = JSON.stringify(mapped.requests);
    expect((await io.run("call", "own__echo", '{"message":"hi"}')).out).toBe("hi");
    expect(JSON.stringify(mapped.requests)).toBe(mappedBefore);
  });

  test("an expired map is fetched anew, and served when its publisher is away", async () => {
    const mapped = await fixture();
    const map = await publishing([connector("one", mapped.url)], { ttlSeconds: 1 });
    const io = await createTestIo({ env: map.env });
    expect((await io.run("tools")).out).toMatch(/^one__echo /m);
    await map.publish([connector("two", mapped.url)]);
    await expect
      .poll(async () => (await io.run("tools")).out, { timeout: 20_000, interval: 100 })
      .toMatch(/^two__echo /m);
    await map.close();
    const away = await io.run("tools");
    expect([away.code, away.out]).toEqual([0, expect.stringMatching(/^two__echo /m)]);
  });

  test("a publisher that is away is told, and the registry's servers are served", async () => {
    const own = await fixture();
    const io = await createTestIo({
      env: { CONNECTORS_SERVICE_MAP_URL: "http://127.0.0.1:1/map", CONNECTORS_SIGNATURE_KEY: CANARY_KEY },
    });
    await io.run("add", "own", own.url);
    const tools = await io.run("tools");
    expect([tools.code, tools.out]).toEqual([0, expect.stringMatching(/tools of 1 of 1 server\.$/)]);
    expect(tools.err).toMatch(/^cortex-mcp: warning: there is no service map: /);
    expect((await io.run("call", "own__echo", '{"message":"x"}')).out).toBe("x");
    expect((await io.run("call", "docs__echo")).err).toContain('there is no tool "docs__echo"');
  });
});
