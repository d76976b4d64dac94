import type { Era } from "@cortex-os/mcp-core/wire";
import type { CatalogEntry } from "./catalog-entry.js";
import { PackableBytes } from "./packable-bytes.js";
import { runsOf, type FormOf } from "./runs.js";

/** The definitions on one page as JSON, without the brackets around them: the same bytes for both eras, unless they differ. */
export class PageRows implements Readonly<Record<Era, PackableBytes>> {
  readonly modern: PackableBytes;
  readonly legacy: PackableBytes;

  constructor(entries: readonly CatalogEntry[]) {
    this.modern = joined(entries, MODERN);
    this.legacy = entries.every(({ legacy }) => legacy === undefined) ? this.modern : joined(entries, LEGACY);
  }
}

const MODERN: FormOf = ({ encoded }) => encoded;
const LEGACY: FormOf = ({ encoded, legacy }) => legacy ?? encoded;

/** What was encoded in a row is that row itself; anything else is copied, once. */
function joined(entries: readonly CatalogEntry[], formOf: FormOf): PackableBytes {
  const runs = runsOf(entries, formOf);
  const [only = EMPTY, ...others] = runs;
  return new PackableBytes(others.length === 0 ? only : Buffer.concat(runs));
}

const EMPTY = Buffer.alloc(0);
