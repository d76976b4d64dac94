import { describe, expect, test, vi } from "vitest";
import { fakeGateway, startRelay } from "./relay-set-up.js";

describe("a gateway that is silent while its client waits (R16)", () => {
  async function asked() {
    const running = startRelay();
    const gateway = await running.next(fakeGateway());
    const isAwake = vi.mocked(gateway.link.isAwake);
    running.ask(1, "tools/call");
    await vi.waitFor(() => expect(gateway.heard.lines).toHaveLength(1));
    const warnings = (): readonly string[] => running.logger.messages("warn");
    return { ...running, gateway, isAwake, warnings };
  }

  test("and does not say that it is awake is told of once, with what to do; its answer counts all the same", async () => {
    const { timers, gateway, isAwake, warnings, client, ask, logger } = await asked();
    isAwake.mockResolvedValue(false);
    await timers.advance(5_000);
    await vi.waitFor(() => expect(warnings()).toEqual(["The gateway does not answer"]));
    expect(JSON.stringify(logger.lines)).toContain(
      "kill -CONT 4711 wakes one that was suspended, kill -9 4711 ends it; then another takes over",
    );
    ask(2, "ping");
    await timers.advance(60_000);
    expect(warnings()).toHaveLength(1);
    gateway.say({ jsonrpc: "2.0", id: 1, result: {} });
    await vi.waitFor(() => expect(client.messages).toMatchObject([{ id: 1, result: {} }]));
  });

  test("but says that it is awake has a slow call: it is asked again and again, and nothing is told", async () => {
    const { timers, isAwake, warnings } = await asked();
    await timers.advance(20_000);
    expect(isAwake).toHaveBeenCalledTimes(4);
    expect(warnings()).toEqual([]);
  });

  test("is not asked when it said anything, nor when nobody waits any more", async () => {
    const { timers, gateway, isAwake, client } = await asked();
    gateway.say({ jsonrpc: "2.0", method: "notifications/progress" });
    await vi.waitFor(() => expect(client.messages).toHaveLength(1));
    await timers.advance(5_000);
    gateway.say({ jsonrpc: "2.0", id: 1, result: {} });
    await vi.waitFor(() => expect(client.messages).toHaveLength(2));
    await timers.advance(60_000);
    expect(isAwake).not.toHaveBeenCalled();
    expect(timers.pending).toBe(0);
  });

  test("is not told of when it goes meanwhile", async () => {
    const { timers, gateway, isAwake, warnings, next } = await asked();
    let answer = (_isAwake: boolean): void => {};
    isAwake.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    await timers.advance(5_000);
    gateway.die();
    await next(fakeGateway());
    answer(false);
    await timers.advance(60_000);
    expect(warnings()).toEqual([]);
  });
});
