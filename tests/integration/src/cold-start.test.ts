import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { heldUpstream, type HeldUpstream } from "./support/held-upstream.js";
import { modernPost } from "./support/modern-post.js";
import { programHome } from "./support/program-home.js";
import { connectLegacyClient } from "./support/real-clients.js";
import { freePort } from "./support/running-upstream.js";

const WAIT = { timeout: 20_000, interval: 20 };
const GOOD = 8;

/** A gateway that starts cold, before eight servers that answer when they are let, one that never does and one that is not there. */
async function starting(
  startup: object,
): Promise<{ gateway: GatewayProcess; good: HeldUpstream[]; hangs: HeldUpstream }> {
  const home = await programHome();
  const good = await Promise.all(Array.from({ length: GOOD }, async () => heldUpstream()));
  const hangs = await heldUpstream();
  const timeouts = { connectMs: 60_000 };
  await home.writeRegistry([
    { name: "a-dead", endpoint: `http://127.0.0.1:${await freePort()}/mcp` },
    { name: "a-hanging", endpoint: hangs.url, timeouts },
    ...good.map(({ url }, at) => ({ name: `good${at}`, endpoint: url, timeouts })),
  ]);
  await mkdir(join(home.folder, "mcp"), { recursive: true });
  await writeFile(join(home.folder, "mcp", "config.json"), JSON.stringify({ startup }));
  return { gateway: await startGateway(home), good, hangs };
}

/** The connectors whose tools a list names, or the error that came instead. */
async function listed({ url }: GatewayProcess): Promise<unknown> {
  const { message } = await modernPost(url, "tools/list", {});
  const { tools } = (message["result"] ?? {}) as { readonly tools?: readonly { readonly name: string }[] };
  return tools === undefined ? message["error"] : [...new Set(tools.map(({ name }) => name.split("__")[0]))];
}

const ALL_GOOD = Array.from({ length: GOOD }, (_, at) => `good${at}`);

describe("R18: a cold start", () => {
  test("answers at once whatever its connectors do, and holds lists until there is something to list", async () => {
    const { gateway, good, hangs } = await starting({ graceMs: 1_000 });
    expect((await fetch(new URL("/livez", gateway.url))).status).toBe(200);
    expect((await fetch(new URL("/readyz", gateway.url))).status).toBe(503);
    expect(await modernPost(gateway.url, "server/discover", {})).toMatchObject({
      status: 200,
      message: { result: { supportedVersions: expect.arrayContaining(["2026-07-28"]) } },
    });
    const client = await connectLegacyClient(gateway.url);
    onTestFinished(async () => client.close());

    // All are asked at once: none waits for another, nor for the one that hangs.
    await vi.waitFor(() => expect([hangs, ...good].every(({ connections }) => connections() > 0)).toBe(true), WAIT);
    const seen: unknown[] = [];
    const lists = [listed(gateway), client.tools()].map(async (list) => seen.push(await list));
    expect((await fetch(new URL("/livez", gateway.url))).status).toBe(200);
    expect(seen).toEqual([]);

    for (const { release } of good) release();
    await Promise.all(lists);
    await vi.waitFor(async () => expect(await listed(gateway)).toEqual(ALL_GOOD), WAIT);
    for (const list of seen) expect(list).not.toEqual([]);
    expect(await gateway.states()).toMatchObject({
      "a-dead": expect.stringMatching(/^down: /),
      "a-hanging": "connecting",
      ...Object.fromEntries(ALL_GOOD.map((key) => [key, "up"])),
    });
    expect((await fetch(new URL("/readyz", gateway.url))).status).toBe(200);
  });

  test("tells that nothing is up rather than list nothing, and lists what comes later", async () => {
    const { gateway, good } = await starting({ graceMs: 0, maxMs: 1 });
    expect(await listed(gateway)).toMatchObject({ code: -31_004 });
    for (const { release } of good) release();
    await vi.waitFor(async () => expect(await listed(gateway)).toEqual(ALL_GOOD), WAIT);
  });

  test("with a width, no more are asked at a time, and one that hangs takes no more than its own place", async () => {
    const { gateway, good, hangs } = await starting({ width: 4, graceMs: 20_000 });
    const asked = (): number => [hangs, ...good].filter(({ connections }) => connections() > 0).length;
    await vi.waitFor(() => expect(asked()).toBe(4), WAIT);
    // Each answer lets the next one begin, and no more than that.
    for (let released = 0; released < GOOD; released += 1) {
      const next = good[released];
      await vi.waitFor(() => expect(next?.connections()).toBeGreaterThan(0), WAIT);
      expect(asked()).toBeLessThanOrEqual(4 + released);
      next?.release();
      await vi.waitFor(async () => expect(await gateway.states()).toMatchObject({ [`good${released}`]: "up" }), WAIT);
    }
    expect(await gateway.states()).toMatchObject({ "a-hanging": "connecting" });
  });
});
