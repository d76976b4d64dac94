import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WatchIndex, type Watched } from "../watch-index.js";

describe("an index of what is watched", () => {
  const uri = fc.stringMatching(/^[ab]{0,5}$/);
  const watched = fc.record({ connector: fc.constantFrom("a", "b"), own: uri });
  const step = fc.record({ watch: watched, isOver: fc.boolean() });

  test("finds what a look at all of them would find, whatever came and went", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), uri, (steps, changed) => {
        const index = new WatchIndex<Watched>();
        const all = new Set<Watched>();
        for (const { watch, isOver } of steps) {
          const known = index.get(watch.connector, watch.own);
          if (isOver && known !== undefined) {
            index.delete(known);
            all.delete(known);
          } else if (!isOver && known === undefined) {
            index.add(watch);
            all.add(watch);
          }
        }
        const expected = [...all].filter(({ connector, own }) => connector === "a" && changed.startsWith(own));
        expect(new Set(index.holding("a", changed))).toEqual(new Set(expected));
        const listed = [...index.byConnector()].flatMap(([, watches]) => [...watches]);
        expect([index.size, new Set(listed)]).toEqual([all.size, all]);
      }),
    );
  });

  test("one whose place another one has taken takes nothing out", () => {
    const index = new WatchIndex<Watched>();
    const first = { connector: "a", own: "x" };
    const second = { connector: "a", own: "x" };
    index.add(first);
    index.delete(first);
    index.add(second);
    index.delete(first);
    expect([index.get("a", "x"), index.size]).toEqual([second, 1]);
  });
});
