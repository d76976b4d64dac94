import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { listenForStop } from "../serve/stop-request.js";
import { createTestIo } from "./test-io.js";

describe("the wish to stop", () => {
  test("the same signal twice within half a second is one wish: a wrapper passed it on", async () => {
    const io = await createTestIo();
    const time = new ManualTime();
    const stop = listenForStop({ ...io, system: { ...io.system, monotonic: time } });
    io.signal("SIGINT");
    await time.advance(500);
    io.signal("SIGINT");
    expect(await stop.requested).toBe("SIGINT");
    expect(io.exits).toEqual([]);
    stop.dispose();
    expect(io.listening()).toBe(0);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("a later second %s ends the process at once, with %i", async (signal, code) => {
    const io = await createTestIo();
    const time = new ManualTime();
    const stop = listenForStop({ ...io, system: { ...io.system, monotonic: time } });
    io.signal("SIGTERM");
    await time.advance(501);
    io.signal(signal);
    expect(await stop.requested).toBe("SIGTERM");
    expect(io.exits).toEqual([code]);
    stop.dispose();
  });
});
