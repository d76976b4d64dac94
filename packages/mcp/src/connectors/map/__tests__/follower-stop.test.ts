import { describe, expect, test, vi } from "vitest";
import { idsOf, INTERVAL, useRig } from "./follower-set-up.js";

const rig = useRig();

describe("stop", () => {
  test("ends timers at once, also when nobody awaits it, and may be called twice", async () => {
    const follower = await rig().following();
    expect(rig().time.pending).toBeGreaterThan(0);
    void follower.stop();
    expect(rig().time.pending).toBe(0);
    await follower.stop();
    rig().publisher.requests = 0;
    await rig().time.advance(10 * INTERVAL);
    expect(rig().publisher.requests).toBe(0);
  });

  test("calls a fetch off; whoever waited for it hears that it was, and nothing is told or logged afterwards", async () => {
    const follower = await rig().following();
    rig().publisher.trouble = "hangs";
    const heard = vi.fn<() => void>();
    follower.subscribe(heard);
    const waiting = follower.sync(true);
    await vi.waitFor(() => {
      expect(rig().publisher.requests).toBe(2);
    });
    const lines = rig().logger.lines.length;
    void follower.stop();
    await expect(waiting).rejects.toMatchObject({ rule: "aborted" });
    expect(rig().publisher.aborted).toBe(1);
    expect(heard).not.toHaveBeenCalled();
    expect(rig().logger.lines).toHaveLength(lines);
    expect(rig().outcomes).toEqual(["changed"]);
    expect(rig().time.pending).toBe(0);
  });

  test("during a store under way waits for it, and nothing of it is told", async () => {
    const follower = await rig().following();
    const { update } = rig().store;
    const heard = vi.fn<() => void>();
    let stored = (): void => {};
    vi.spyOn(rig().store, "update").mockImplementation(async (change) => {
      await new Promise<void>((resolve) => (stored = resolve));
      return update(change);
    });
    rig().publisher.publish({ connectors: ["b"], atMs: rig().time.now() + 1 });
    const [waiting] = [Promise.allSettled([follower.sync(true)])];
    await vi.waitFor(() => {
      expect(rig().store.update).toHaveBeenCalled();
    });
    follower.subscribe(heard);
    const stopping = follower.stop();
    stored();
    await stopping;
    await waiting;
    expect(heard).not.toHaveBeenCalled();
    expect(rig().time.pending).toBe(0);
    expect((await rig().store.load())?.floor?.generatedAtMs).toBe(rig().time.now() + 1);
  });

  test("before the first fetch, or before anything, leaves nothing", async () => {
    const follower = rig().follow();
    const loading = follower.load();
    void follower.stop();
    await loading;
    expect(rig().time.pending).toBe(0);
  });

  test("nothing can be asked of it afterwards, but what is in force can still be read", async () => {
    const follower = await rig().following();
    await follower.stop();
    for (const asked of [follower.sync(), follower.sync(true), follower.refresh(), follower.operate({ kind: "pin" })]) {
      await expect(asked).rejects.toMatchObject({ rule: "aborted" });
    }
    expect(idsOf(follower.inForce)).toEqual(["a"]);
    expect(follower.status().nextRefreshAt).toBeUndefined();
  });
});
