import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUpWith, TestSource } from "./directory-set-up.js";

const KEYS = Array.from({ length: 20 }, (_, at) => `c${String(at).padStart(2, "0")}`);
/** What each catalog, and all that hears of it, takes. */
const COST_MS = 50;

/** A directory over {@link KEYS} in which work takes time. */
async function slow() {
  const spent = { ms: 0 };
  const source = new TestSource(
    "registry",
    KEYS.map((key) => specOf(key)),
  );
  const parts = setUpWith(
    {
      monotonic: { elapsedMs: () => parts.time.elapsedMs() + spent.ms },
      onChange: () => {
        spent.ms += COST_MS;
        parts.seen.changes += 1;
      },
    },
    source,
  );
  await parts.directory.start();
  await settle();
  return { ...parts, source };
}

describe("many connectors (issue 7)", () => {
  test("that come up one after the other do not have the catalog built once for each of them; the last is in it when the gate opens", async () => {
    const { directory, names, seen, upstreams } = await slow();
    for (const key of KEYS.slice(0, -1)) await upstreams.of(key).serve("x");
    expect(directory.gate.isOpen).toBe(false);
    expect(seen.changes).toBeLessThan(5);
    await upstreams.of("c19").serve("x");
    await settle();
    expect(directory.gate.isOpen).toBe(true);
    expect(names()).toHaveLength(KEYS.length);
  });

  test("while they serve, building catalogs takes a tenth of the time; the first change is in at once and the last is never lost", async () => {
    const { names, seen, time, upstreams } = await slow();
    for (const key of KEYS) await upstreams.of(key).serve("x");
    await time.advance(1_000);
    const before = seen.changes;
    for (const key of KEYS) {
      upstreams.of(key).announceChange();
      await settle();
      await upstreams.of(key).answerList(["x", "y"]);
      await settle();
    }
    expect(seen.changes).toBe(before + 1);
    expect(names()).toHaveLength(KEYS.length + 1);
    await time.advance(9 * COST_MS);
    expect(seen.changes).toBe(before + 2);
    expect(names()).toHaveLength(2 * KEYS.length);
  });

  test("whoever waits for what was reloaded finds it in the catalog, however recently that was built", async () => {
    const { directory, names, source, time, upstreams } = await slow();
    for (const key of KEYS) await upstreams.of(key).serve("x");
    await time.advance(1_000);
    source.tell(...KEYS.map((key) => specOf(key)), specOf("new"));
    await settle();
    const settled = directory.settled();
    await upstreams.of("new").serve("x");
    await settled;
    expect(names()).toContain("new__x");
  });

  test("nothing is built after the end", async () => {
    const { directory, seen, time, upstreams } = await slow();
    for (const key of KEYS.slice(0, 5)) await upstreams.of(key).serve("x");
    await directory.close();
    const { changes } = seen;
    await time.advance(10_000);
    expect(seen.changes).toBe(changes);
  });
});
