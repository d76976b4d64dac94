import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PendingChanges } from "../pending-changes.js";
import { EMPTY_REGISTRY, entriesOf, withEntry, withoutName, type RegistryDocument } from "../registry-file.js";

type Step = { readonly name: string; readonly command?: string };

const step = fc.record(
  { name: fc.constantFrom("a", "b", "c"), command: fc.constantFrom("1", "2") },
  { requiredKeys: ["name"] },
);

function applied(document: RegistryDocument, { name, command }: Step): RegistryDocument {
  return command === undefined ? withoutName(document, name) : withEntry(document, { name, command });
}

function recorded(steps: readonly Step[]): PendingChanges {
  const changes = new PendingChanges();
  for (const { name, command } of steps) {
    if (command === undefined) changes.remove(name);
    else changes.upsert({ name, command });
  }
  return changes;
}

describe("PendingChanges", () => {
  test("together do what the changes did one by one, on any document, order included", () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), fc.array(step), (before, first, second) => {
        const document = before.reduce(applied, EMPTY_REGISTRY);
        const changes = recorded(first);
        changes.append(recorded(second));
        expect(entriesOf(changes.applyTo(document))).toEqual(
          entriesOf([...first, ...second].reduce(applied, document)),
        );
      }),
    );
  });

  test("are empty until something is recorded", () => {
    expect(new PendingChanges().isEmpty).toBe(true);
    expect(recorded([{ name: "a" }]).isEmpty).toBe(false);
  });
});
