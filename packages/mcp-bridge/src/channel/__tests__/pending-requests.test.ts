import { ManualTime } from "@cortex-os/mcp-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestBounds } from "../channel.js";
import { Pending, PendingRequests } from "../pending-requests.js";

const RECEIVER = { onAnswer: () => {}, onProgress: () => {}, onFailure: () => {} };

function requestsUnderTest(): {
  requests: PendingRequests;
  time: ManualTime;
  expired: string[];
  add: (bounds?: RequestBounds) => Pending;
} {
  const time = new ManualTime();
  const expired: string[] = [];
  const requests: PendingRequests = new PendingRequests({
    ...{ timers: time, monotonic: time },
    onExpired: ({ id }, limitMs) => {
      expired.push(`${id} after ${limitMs} ms`);
      requests.take(id);
    },
  });
  const host = {
    withdraw: () => {},
    forget: (id: number) => void requests.take(id),
    fail: () => {},
    restart: (request: Pending) => requests.restart(request),
  };
  const add = (bounds: RequestBounds = {}): Pending => {
    const request = new Pending(requests.nextId(), "m", RECEIVER, bounds, host);
    requests.add(request);
    return request;
  };
  return { requests, time, expired, add };
}

describe("the requests under way on a channel", () => {
  test("are found by ids that rise and are never given again, however many come, stay and go (threat 10)", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 200 }), { nil: undefined }), { maxLength: 400 }), (steps) => {
        const { requests, add } = requestsUnderTest();
        const model = new Map<number, Pending>();
        let last = 0;
        for (const step of steps) {
          if (step === undefined) {
            const added = add();
            expect(added.id).toBeGreaterThan(last);
            last = added.id;
            model.set(added.id, added);
          } else {
            expect(requests.take(step)).toBe(model.get(step));
            model.delete(step);
          }
        }
        expect(requests.size).toBe(model.size);
        expect(requests.all()).toEqual([...model.values()]);
        for (let id = 0; id <= last + 1; id += 1) expect(requests.get(id)).toBe(model.get(id));
      }),
    );
  });

  test("leave out an id whose place is taken by one that lasts, and grow with those that do", () => {
    const { requests, add } = requestsUnderTest();
    const lasting = add();
    for (let round = 0; round < 100; round += 1) expect(requests.take(add().id)).toBeDefined();
    expect(requests.get(lasting.id)).toBe(lasting);
    const many = Array.from({ length: 5_000 }, () => add());
    expect(requests.all()).toEqual([lasting, ...many]);
  });

  test.each([0, -1, 1.5, 17, Number.NaN, Infinity, 2 ** 40, "1", null, undefined])("are not found by %s", (id) => {
    const { requests, add } = requestsUnderTest();
    add();
    expect([requests.get(id), requests.take(id)]).toEqual([undefined, undefined]);
  });
});

describe("their limits", () => {
  test("each ends its own, to the millisecond, on one timer", async () => {
    const { time, expired, add } = requestsUnderTest();
    for (const idleMs of [300, 100, 200]) add({ idleMs, maxMs: 1_000 });
    expect(time.pending).toBe(1);
    await time.advance(99);
    expect(expired).toEqual([]);
    await time.advance(1);
    expect(expired).toEqual(["2 after 100 ms"]);
    await time.advance(199);
    expect(expired).toEqual(["2 after 100 ms", "3 after 200 ms"]);
    await time.advance(1);
    expect(expired.at(-1)).toBe("1 after 300 ms");
    expect(time.pending).toBe(0);
  });

  test("a request that is answered costs no timer while others wait, and the last one leaves none", async () => {
    const { requests, time, expired, add } = requestsUnderTest();
    const first = add({ maxMs: 100 });
    await time.advance(50);
    const second = add({ maxMs: 100 });
    requests.take(first.id);
    await time.advance(99);
    expect(expired).toEqual([]);
    expect(time.delays).toEqual([1]);
    requests.take(second.id);
    expect(time.pending).toBe(0);
    add();
    expect(time.pending).toBe(0);
  });

  test("silence is allowed while there is a reason for it, the whole is not", async () => {
    const { requests, time, expired, add } = requestsUnderTest();
    const held = add({ idleMs: 100, maxMs: 1_000 });
    const releases = [held.hold(), held.hold()];
    await time.advance(500);
    releases[0]?.();
    requests.restart(held);
    await time.advance(200);
    expect(expired).toEqual([]);
    releases[1]?.();
    await time.advance(99);
    held.hold();
    await time.advance(201);
    expect(expired).toEqual(["1 after 1000 ms"]);
  });

  test("what is over is not begun anew", async () => {
    const { requests, time, expired, add } = requestsUnderTest();
    const over = add({ idleMs: 100 });
    const release = over.hold();
    requests.take(over.id);
    release();
    requests.restart(over);
    await time.advance(1_000);
    expect([expired, time.pending]).toEqual([[], 0]);
  });
});
