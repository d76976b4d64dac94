import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { NameOf, NamingRule } from "./naming-rule.js";

/** An entry of a connector's list that wants a name. */
export interface Claim {
  readonly connector: string;
  readonly own: string;
  /** The definition as the upstream gave it. */
  readonly given: JsonObject;
  /** The name that it has alone. */
  readonly first: string;
  /** The name that it got. */
  name: string | undefined;
  /** The best name that it can get beside others; while it is beside some. */
  best: string | undefined;
}

/** Who claims which name, kept from change to change: a change costs what it touches. */
export class Claims {
  readonly #rule: NamingRule;
  readonly #byName = new Claimants();
  /** Only under a rule that names what meets apart: else the name that an entry has alone is the one it gets. */
  readonly #byFirst = new Claimants();
  /** Those that got another name, by the best of those: it depends on whether anybody has that one alone. */
  readonly #byBest = new Claimants();

  constructor(rule: NamingRule) {
    this.#rule = rule;
  }

  /** Takes in what came and went. @returns the names that have other claimants than before */
  update(gone: readonly Claim[], come: readonly Claim[]): ReadonlySet<string> {
    const touched = new Set<string>();
    const { among } = this.#rule;
    if (among === undefined) {
      for (const claim of gone) this.#rename(claim, undefined, touched);
      for (const claim of come) this.#rename(claim, claim.first, touched);
      return touched;
    }
    const before = new Map<string, number>();
    for (const { first } of gone) before.set(first, this.#byFirst.count(first));
    for (const { first } of come) before.set(first, this.#byFirst.count(first));
    for (const claim of gone) {
      this.#byFirst.delete(claim.first, claim);
      this.#stand(claim, undefined);
      this.#rename(claim, undefined, touched);
    }
    for (const claim of come) this.#byFirst.add(claim.first, claim);
    const unsettled = new Set(come);
    for (const [first, count] of before) {
      const now = this.#byFirst.count(first);
      // That two more or less share a name changes nothing for those that shared it already.
      if (count > 1 !== now > 1) for (const claim of this.#byFirst.get(first)) unsettled.add(claim);
      if (count > 0 !== now > 0) for (const claim of this.#byBest.get(first)) unsettled.add(claim);
    }
    for (const claim of unsettled) this.#settle(claim, among, touched);
    return touched;
  }

  /** Those that got this name. */
  of(name: string): readonly Claim[] {
    return this.#byName.get(name);
  }

  #settle(claim: Claim, among: readonly NameOf[], touched: Set<string>): void {
    const { connector, own, first } = claim;
    if (this.#byFirst.count(first) === 1) {
      this.#stand(claim, undefined);
      this.#rename(claim, first, touched);
      return;
    }
    const names = among.map((nameOf) => nameOf(connector, own));
    this.#stand(claim, names[0]);
    this.#rename(claim, names.find((name) => this.#byFirst.count(name) === 0) ?? names.at(-1), touched);
  }

  #stand(claim: Claim, best: string | undefined): void {
    if (claim.best === best) return;
    if (claim.best !== undefined) this.#byBest.delete(claim.best, claim);
    claim.best = best;
    if (best !== undefined) this.#byBest.add(best, claim);
  }

  #rename(claim: Claim, name: string | undefined, touched: Set<string>): void {
    const before = claim.name;
    if (before === name) return;
    if (before !== undefined) {
      this.#byName.delete(before, claim);
      touched.add(before);
    }
    claim.name = name;
    if (name === undefined) return;
    this.#byName.add(name, claim);
    touched.add(name);
  }
}

/** Claims by name. Hardly any name has several: those that have one cost no more than an entry of a map. */
class Claimants {
  readonly #of = new Map<string, Claim | Set<Claim>>();

  count(name: string): number {
    const found = this.#of.get(name);
    return found instanceof Set ? found.size : found === undefined ? 0 : 1;
  }

  get(name: string): readonly Claim[] {
    const found = this.#of.get(name);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }

  add(name: string, claim: Claim): void {
    const found = this.#of.get(name);
    if (found === undefined) this.#of.set(name, claim);
    else if (found instanceof Set) found.add(claim);
    else if (found !== claim) this.#of.set(name, new Set([found, claim]));
  }

  delete(name: string, claim: Claim): void {
    const found = this.#of.get(name);
    if (found === claim) this.#of.delete(name);
    if (!(found instanceof Set) || !found.delete(claim) || found.size > 1) return;
    const [last] = found;
    if (last === undefined) this.#of.delete(name);
    else this.#of.set(name, last);
  }
}
