import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EMPTY_REGISTRY } from "../document/registry-file.js";
import { partsSetAside } from "../document/registry-problems.js";
import { RegistryTable } from "../document/registry-table.js";
import type { Operation } from "../journal/operation.js";

const name = fc.constantFrom("a", "b", "c");
const server = fc.record({ name, command: fc.constantFrom("x", "y") });
const bad = fc.oneof(fc.record({ name, transport: fc.constant("?") }), fc.constant(7));
const raw = fc.oneof({ weight: 2, arbitrary: server }, bad);
const members = fc.constantFrom({}, { servers: [] }, { mcpServers: {} });
const arrangement = fc.record({
  members,
  items: fc.array(
    fc.oneof(
      name,
      bad.map((item) => ({ raw: item })),
    ),
    { maxLength: 3 },
  ),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: raw.map((v) => ({ op: "u" as const, v })) },
  name.map((n) => ({ op: "r" as const, n, w: [] })),
  fc.tuple(fc.nat(3), raw).map((placed) => ({ op: "i" as const, at: [placed] })),
  arrangement.map((x) => ({ op: "x" as const, x, w: { members: {}, items: [] } })),
);

test("what is not served is known after every operation as if it were looked for anew (R10)", () => {
  fc.assert(
    fc.property(members, fc.array(operation, { maxLength: 12 }), (first, operations) => {
      const table = new RegistryTable({ ...EMPTY_REGISTRY, members: first });
      for (const one of operations) {
        table.apply(one);
        expect(table.problems).toEqual(partsSetAside(table.document));
      }
    }),
  );
});
