import { describe, expect, test } from "vitest";
import { partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import { CatalogHolder } from "../catalog-holder.js";
import { Catalog } from "../catalog.js";

const catalogOf = (...names: string[]): Catalog => new Catalog([partOfTools("a", names.map(toolOf))]);

function holderOf(initial: Catalog): { holder: CatalogHolder; errors: unknown[] } {
  const errors: unknown[] = [];
  return { holder: new CatalogHolder(initial, (error) => errors.push(error)), errors };
}

describe("the catalog holder", () => {
  test("puts a new catalog in force and tells of it", () => {
    const { holder } = holderOf(catalogOf("x"));
    const told: Catalog[] = [];
    holder.subscribe((catalog) => told.push(catalog));
    const next = catalogOf("x", "y");
    expect(holder.swap(next)).toBe(true);
    expect(holder.current).toBe(next);
    expect(told).toEqual([next]);
  });

  test("tells nobody when a client could see no difference, but serves the new one's routes", () => {
    const never = { names: { separator: "__", maxLength: 50, prefix: "never" as const }, ttlMs: 1, pageSize: 10 };
    const { holder } = holderOf(new Catalog([partOfTools("a", [toolOf("x")])], never));
    const told: Catalog[] = [];
    holder.subscribe((catalog) => told.push(catalog));
    expect(holder.swap(new Catalog([partOfTools("b", [toolOf("x")])], never))).toBe(false);
    expect(holder.current.find("x")?.connector).toBe("b");
    expect(told).toEqual([]);
  });

  test("a listener that throws harms no other, and is reported", () => {
    const { holder, errors } = holderOf(catalogOf("x"));
    const told: string[] = [];
    const failure = new Error("bad listener");
    holder.subscribe(() => told.push("before"));
    holder.subscribe(() => {
      throw failure;
    });
    holder.subscribe(() => told.push("after"));
    expect(holder.swap(catalogOf("y"))).toBe(true);
    expect(told).toEqual(["before", "after"]);
    expect(errors).toEqual([failure]);
  });

  test("one function subscribed twice is told twice, and each way out ends one of them", () => {
    const { holder } = holderOf(catalogOf("x"));
    let told = 0;
    const listener = (): void => {
      told += 1;
    };
    const first = holder.subscribe(listener);
    holder.subscribe(listener);
    holder.swap(catalogOf("y"));
    expect(told).toBe(2);
    first();
    first();
    holder.swap(catalogOf("z"));
    expect(told).toBe(3);
  });

  test("a listener that leaves while it is told leaves the others in place", () => {
    const { holder } = holderOf(catalogOf("x"));
    const told: string[] = [];
    const leave = holder.subscribe(() => {
      told.push("leaver");
      leave();
    });
    holder.subscribe(() => told.push("stayer"));
    holder.swap(catalogOf("y"));
    holder.swap(catalogOf("z"));
    expect(told).toEqual(["leaver", "stayer", "stayer"]);
  });
});
