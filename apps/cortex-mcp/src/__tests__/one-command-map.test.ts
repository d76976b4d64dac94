import { describe, expect, test } from "vitest";
import { run } from "../run.js";
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
    const map = await publishing([connector("one", mapped.url)], { ttlSeconds: 5 });
    const io = await createTestIo({ env: map.env });
    const later = { ...io, system: { ...io.system, clock: { now: () => io.system.clock.now() + 10_000 } } };
    expect((await io.run("tools")).out).toMatch(/^one__echo /m);
    await map.publish([connector("two", mapped.url)], 300);
    expect(await run(["call", "two__echo", '{"message":"new"}'], later)).toBe(0);
    expect(io.outLines.at(-1)).toBe("new");
    await map.close();
    const muchLater = { ...io, system: { ...io.system, clock: { now: () => io.system.clock.now() + 400_000 } } };
    expect(await run(["call", "two__echo", '{"message":"old"}'], muchLater)).toBe(0);
    expect(io.outLines.at(-1)).toBe("old");
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

  test("R6: a map that is too old to be served is not: list and tools say so", async () => {
    const mapped = await fixture();
    const map = await publishing([connector("one", mapped.url)], { ttlSeconds: 1 });
    const io = await createTestIo({ env: { ...map.env, CORTEX_MCP_SERVICE_MAP_MAX_STALE_MS: "0" } });
    expect((await io.run("tools")).out).toMatch(/^one__echo /m);
    await map.close();
    await expect
      .poll(async () => (await io.run("list")).err, { timeout: 20_000, interval: 100 })
      .toBe(
        "cortex-mcp: warning: the service map's connectors are not shown: the service map has expired; cortex-mcp serve fetches it",
      );
    expect((await io.run("get", "one")).err).toContain('there is no server "one"');
    const tools = await io.run("tools");
    expect(tools.out).not.toContain("one__echo");
    expect(tools.err).toMatch(/too old to be used/);
  });

  test("without prefixes every connector of both sources is started", async () => {
    const [mapped, own] = [await fixture(), await fixture()];
    const map = await publishing([connector("docs", mapped.url)]);
    const io = await createTestIo({ env: { ...map.env, CORTEX_MCP_NAMES_PREFIX: "auto" } });
    await io.run("add", "own", own.url);
    expect((await io.run("call", "docs__echo", '{"message":"hi"}')).out).toBe("hi");
    expect((await io.run("call", "own__echo", '{"message":"hi"}')).out).toBe("hi");
  });
});
