import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { StartLine, type Starter } from "../start-line.js";
import type { StartRule } from "../start-width.js";

const NARROW: StartRule = {
  child: { places: 2, background: 1, most: 4 },
  other: { places: 3, background: 2, most: 6 },
  waitingMs: 1_000,
};

function setUp(rule: StartRule = NARROW) {
  const time = new ManualTime();
  const line = new StartLine(rule, { timers: time, monotonic: time });
  const begun: string[] = [];
  const ends = new Map<string, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  const enter = (name: string, how: Partial<Starter> = {}): Promise<void> =>
    line.enter({
      kind: "child",
      isAwaited: true,
      run: () => {
        begun.push(name);
        return new Promise((resolve, reject) => {
          ends.set(name, { resolve, reject });
        });
      },
      ...how,
    });
  const enterAll = (names: string, how: Partial<Starter> = {}): void => {
    for (const name of names) void enter(name, how);
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.resolve();
    await settle();
  };
  return { time, line, begun, ends, enter, enterAll, end };
}

const shared = (width: number): StartRule => {
  const places = { places: width, background: width, most: width };
  return { child: places, other: places };
};

describe("R18: the line in which connectors wait for their start", () => {
  test("lets in as many as there are places, in order and in the same turn; one that ends makes room for the next", async () => {
    const { begun, enterAll, end } = setUp();
    enterAll("abcd");
    expect(begun).toEqual(["a", "b"]);
    await end("b");
    expect(begun).toEqual(["a", "b", "c"]);
    await end("a");
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("keeps what only waits from waiting for what works, unless they share their places", async () => {
    const apart = setUp();
    apart.enterAll("abc");
    apart.enterAll("xyzw", { kind: "other" });
    expect(apart.begun).toEqual(["a", "b", "x", "y", "z"]);
    const together = setUp(shared(3));
    together.enterAll("ab");
    together.enterAll("xy", { kind: "other" });
    expect(together.begun).toEqual(["a", "b", "x"]);
    await together.end("a");
    expect(together.begun).toEqual(["a", "b", "x", "y"]);
  });

  test("those that nobody waits for take only their part of the places, and stand behind the others", async () => {
    const { begun, enterAll, end } = setUp();
    enterAll("uv", { isAwaited: false });
    expect(begun).toEqual(["u"]);
    enterAll("abc");
    expect(begun).toEqual(["u", "a"]);
    await end("u");
    expect(begun).toEqual(["u", "a", "b"]);
    await end("a");
    expect(begun).toEqual(["u", "a", "b", "c"]);
    await end("b");
    expect(begun).toEqual(["u", "a", "b", "c"]);
    await end("c");
    expect(begun).toEqual(["u", "a", "b", "c", "v"]);
  });

  test("one that has not ended after a second only waits: it gives its place up, and the rest is as fast as without it", async () => {
    const { begun, enterAll, time } = setUp();
    enterAll("abcdefg");
    await time.advance(999);
    expect(begun).toEqual(["a", "b"]);
    await time.advance(1);
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("no more than the most are starting at a time, with those that gave their place up; one that ends after it gave its place up makes room for one", async () => {
    const { begun, enterAll, end, time } = setUp();
    enterAll("abcdefg");
    await time.advance(10_000);
    expect(begun).toEqual(["a", "b", "c", "d"]);
    await end("a");
    expect(begun).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("while our own timers are late the machine has too much to do: nobody else begins", async () => {
    const time = new ManualTime();
    const late = { elapsedMs: () => time.elapsedMs() + (time.elapsedMs() >= 1_000 ? 101 : 0) };
    const line = new StartLine(NARROW, { timers: time, monotonic: late });
    let begun = 0;
    const run = (): Promise<void> => {
      begun += 1;
      return new Promise(() => {});
    };
    for (let each = 0; each < 4; each += 1) void line.enter({ kind: "child", isAwaited: true, run });
    await time.advance(1_000);
    expect(begun).toBe(2);
    await time.advance(1_000);
    expect(begun).toBe(4);
  });

  test("one that fails has ended as well, and whoever entered it hears of it", async () => {
    const { begun, ends, enter, enterAll } = setUp();
    const failing = enter("a");
    enterAll("bc");
    ends.get("a")?.reject(new Error("no"));
    await expect(failing).rejects.toThrow("no");
    expect(begun).toEqual(["a", "b", "c"]);
  });

  test("a number has no patience and needs no timer: a place is a place until it ends", async () => {
    const { begun, enterAll, time } = setUp(shared(1));
    enterAll("ab");
    expect(time.pending).toBe(0);
    await time.advance(60_000);
    expect(begun).toEqual(["a"]);
  });

  test("another rule holds for those that wait in line, in their order; those that have begun take no place of it", async () => {
    const { begun, line, enterAll, end, time } = setUp(shared(1));
    enterAll("abcd");
    enterAll("x", { kind: "other" });
    line.follow(NARROW);
    expect(begun).toEqual(["a", "b", "c", "x"]);
    await end("a");
    expect(begun).toEqual(["a", "b", "c", "x"]);
    await end("b");
    expect(begun).toEqual(["a", "b", "c", "x", "d"]);
    for (const name of "cxd") await end(name);
    expect(time.pending).toBe(0);
  });
});
