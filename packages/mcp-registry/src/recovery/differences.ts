import type { RegistryTable } from "../document/registry-table.js";
import { canonicalText } from "../document/registry-item.js";
import { MAX_FRAME_BYTES } from "../journal/frame.js";
import type { Operation } from "../journal/operation.js";

const LONGEST_ARRANGEMENT = MAX_FRAME_BYTES / 4;

/**
 * The operations that make `from` what `to` is: removals, then servers, then what is left to arrange. None when they say the same. `from`
 * is changed into `to` on the way.
 */
export function makeEqual(from: RegistryTable, to: RegistryTable): readonly Operation[] {
  const operations: Operation[] = [];
  const make = (operation: Operation | undefined): void => {
    if (operation === undefined) return;
    from.apply(operation);
    operations.push(operation);
  };
  for (const { name } of from.served) if (to.servedItem(name) === undefined) make(from.removing(name));
  for (const server of to.served) make(from.upserting(server));
  const [was, is] = [from.arrangement, to.arrangement];
  const isOther = canonicalText(was) !== canonicalText(is);
  // One that is too long for the journal stands in the snapshot only.
  if (isOther && JSON.stringify([was, is]).length < LONGEST_ARRANGEMENT) make({ op: "x", x: is, w: was });
  return operations;
}
