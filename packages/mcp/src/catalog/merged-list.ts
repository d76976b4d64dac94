import type { JsonObject, ListKind } from "@cortex-os/mcp-core/wire";
import { byCodeUnits } from "./by-code-units.js";
import type { CatalogEntry } from "./catalog-entry.js";
import type { CatalogPart, NameCollision, PartList } from "./catalog-part.js";
import { Claims, type Claim } from "./claims.js";
import { encodeClaims, type EntryShape } from "./encode-claims.js";
import { EntryList } from "./entry-list.js";
import type { NamingRule } from "./naming-rule.js";

/** A connector's list, and what it claims. */
interface Taken {
  readonly list: PartList;
  readonly claims: readonly Claim[];
}

/**
 * One list of all connectors. It is told of their parts again and again, and does the work for those that are others than before: a part is a value, so that the same
 * object holds the same. What comes of it depends on the parts alone and not on the way there (R23).
 *
 * An entry that a connector lists twice counts once, the first time. A name that two claim, after all that could be done to tell them apart, is refused to both: a
 * call must never reach the other one.
 */
export class MergedList<E extends CatalogEntry> {
  readonly #kind: ListKind;
  readonly #rule: NamingRule;
  readonly #shape: EntryShape<E>;
  readonly #claims: Claims;
  #taken: ReadonlyMap<string, Taken> = new Map();
  readonly #refused = new Map<string, NameCollision>();
  #entries = EntryList.empty<E>();
  /** The entries in force by id: a look-up in them costs the same however many there are. */
  readonly #byId = new Map<string, E>();
  #collisions: readonly NameCollision[] = [];

  constructor(kind: ListKind, rule: NamingRule, shape: EntryShape<E>) {
    this.#kind = kind;
    this.#rule = rule;
    this.#shape = shape;
    this.#claims = new Claims(rule);
  }

  /** Sorted by the name, URI or URI template that clients see, in code-unit order. The same object while nothing changed. */
  get entries(): EntryList<E> {
    return this.#entries;
  }

  /** What was refused, sorted by name. */
  get collisions(): readonly NameCollision[] {
    return this.#collisions;
  }

  /** The entry of `id` in this list as it is now, or as it once was. */
  find(entries: EntryList<E>, id: string): E | undefined {
    return entries === this.#entries ? this.#byId.get(id) : entries.get(id);
  }

  /** @param parts all there are now, each key once */
  update(parts: readonly CatalogPart[]): void {
    const taken = new Map<string, Taken>();
    const come: Claim[] = [];
    for (const { key, lists } of parts) {
      const list = lists[this.#kind];
      if (list === undefined) continue;
      const before = this.#taken.get(key);
      if (before?.list === list) {
        taken.set(key, before);
        continue;
      }
      const claims = this.#claimsOf(key, list.entries);
      taken.set(key, { list, claims });
      for (const claim of claims) come.push(claim);
    }
    const gone: Claim[] = [];
    for (const [key, before] of this.#taken)
      if (taken.get(key) !== before) for (const claim of before.claims) gone.push(claim);
    this.#taken = taken;
    if (gone.length > 0 || come.length > 0) this.#settle(this.#claims.update(gone, come));
  }

  #settle(touched: ReadonlySet<string>): void {
    const changes = new Map<string, E | undefined>();
    const unencoded: Claim[] = [];
    let isRefused = false;
    for (const name of touched) {
      const claimants = this.#claims.of(name);
      changes.set(name, undefined);
      if (claimants.length === 1) unencoded.push(...claimants);
      if (this.#refuse(name, claimants)) isRefused = true;
    }
    for (const entry of encodeClaims(unencoded, this.#shape)) changes.set(entry.id, entry);
    this.#entries = this.#entries.with(changes);
    for (const [id, entry] of changes)
      if (entry === undefined) this.#byId.delete(id);
      else this.#byId.set(id, entry);
    if (isRefused) this.#collisions = [...this.#refused.values()].toSorted((a, b) => byCodeUnits(a.name, b.name));
  }

  /** @returns whether that is another thing than before */
  #refuse(name: string, claimants: readonly Claim[]): boolean {
    if (claimants.length < 2) return this.#refused.delete(name);
    const names = claimants.map(({ connector, own }) => `${connector}/${own}`);
    this.#refused.set(name, { name, claimants: names.toSorted(byCodeUnits) });
    return true;
  }

  #claimsOf(connector: string, entries: readonly JsonObject[]): readonly Claim[] {
    const claims = new Map<string, Claim>();
    for (const given of entries) {
      const own = given[this.#shape.member];
      // What has no name cannot be asked for.
      if (typeof own !== "string" || own === "" || claims.has(own)) continue;
      const first = this.#rule.alone(connector, own);
      claims.set(own, { connector, own, given, first, name: undefined, best: undefined });
    }
    return [...claims.values()];
  }
}
