import type { ServerInfo } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Arrangement, Operation, PlacedItem } from "../journal/operation.js";
import type { RegistryDocument } from "./registry-file.js";
import { partsSetAside, type Problem } from "./registry-problems.js";
import { canonicalText, RegistryItem } from "./registry-item.js";

/** The registry in memory: what `servers.json` says after all changes of the journal. Operations change it in place. */
export class RegistryTable {
  #members: JsonObject;
  #items: RegistryItem[];
  /** All items of a name, in order: the last one with an entry is served. */
  readonly #named = new Map<string, RegistryItem[]>();
  #served: readonly ServerInfo[] | undefined;
  #problems: readonly Problem[] | undefined;
  #bytes: number | undefined;

  constructor(document: RegistryDocument) {
    this.#members = document.members;
    this.#items = [...document.items];
    this.#index();
  }

  /** The content as it is now: a value that later operations leave alone. */
  get document(): RegistryDocument {
    return { members: this.#members, items: [...this.#items] };
  }

  /** The servers in file order, frozen; the same array until something changes. */
  get served(): readonly ServerInfo[] {
    this.#served ??= this.#items.flatMap((item) =>
      item.entry !== undefined && this.servedItem(item.entry.name) === item ? [item.entry] : [],
    );
    return this.#served;
  }

  /** What is not served, in file order; the same array until that may be different. */
  get problems(): readonly Problem[] {
    this.#problems ??= partsSetAside(this.document);
    return this.#problems;
  }

  /** How much all items have together, in bytes of RFC 8785 JSON. */
  get contentBytes(): number {
    this.#bytes ??= this.#items.reduce((sum, { canonical }) => sum + Buffer.byteLength(canonical), 0);
    return this.#bytes;
  }

  /** The item that is served under a name. */
  servedItem(name: string): RegistryItem | undefined {
    return this.#named.get(name)?.findLast(({ entry }) => entry !== undefined);
  }

  /** What adding a server, or putting it in the place of the one of its name, is as an operation; `undefined` when that changes nothing. */
  upserting(server: ServerInfo): Operation | undefined {
    const before = this.#replacedBy(server.name);
    if (before?.entry !== undefined && before.canonical === canonicalText(server)) return undefined;
    return { op: "u", v: server, ...(before === undefined ? {} : { w: before.raw }) };
  }

  /** What removing everything of that name is, set-aside items too; `undefined` when there is nothing. */
  removing(name: string): Operation | undefined {
    if (!this.#named.has(name)) return undefined;
    const was = this.#items.flatMap((item, index): PlacedItem[] => (item.name === name ? [[index, item.raw]] : []));
    return { op: "r", n: name, w: was };
  }

  /** Everything besides the servers themselves: unknown members, the order, what is set aside. */
  get arrangement(): Arrangement {
    return {
      members: this.#members,
      items: this.#items.map((item) =>
        item.entry !== undefined && this.servedItem(item.entry.name) === item ? item.entry.name : { raw: item.raw },
      ),
    };
  }

  /** Makes a change; one that does not fit (a journal that lost a part) does as much as it can. */
  apply(operation: Operation): void {
    this.#served = undefined;
    if (operation.op !== "u") this.#bytes = undefined;
    switch (operation.op) {
      case "u":
        this.#put(RegistryItem.of(operation.v));
        return;
      case "r":
        this.#items = this.#items.filter(({ name }) => name !== operation.n);
        this.#named.delete(operation.n);
        this.#problems = undefined;
        return;
      case "i":
        for (const [index, raw] of operation.at) this.#items.splice(index, 0, RegistryItem.of(raw));
        break;
      case "x":
        this.#arrange(operation.x);
        break;
    }
    this.#index();
  }

  /** Takes a change back that was the last one made. */
  revert(operation: Operation): void {
    for (const inverse of inverseOf(operation)) this.apply(inverse);
  }

  /** Of the name: the served item if there is one, else the last that is set aside. A bad one is replaced too: naming it is asking for it. */
  #replacedBy(name: string): RegistryItem | undefined {
    return this.servedItem(name) ?? this.#named.get(name)?.at(-1);
  }

  #put(item: RegistryItem): void {
    const name = item.name ?? "";
    const before = this.#replacedBy(name);
    const named = this.#named.get(name);
    // A server behind others or in the place of its only one leaves everything else what it is; and that is nearly every change.
    const isAlone = before === undefined ? this.#items.length > 0 : before.entry !== undefined && named?.length === 1;
    if (item.entry === undefined || !isAlone) this.#problems = undefined;
    const growth = Buffer.byteLength(item.canonical) - Buffer.byteLength(before?.canonical ?? "");
    if (this.#bytes !== undefined) this.#bytes += growth;
    if (before === undefined || named === undefined) {
      this.#items.push(item);
      this.#named.set(name, [item]);
    } else {
      this.#items[this.#items.indexOf(before)] = item;
      named[named.indexOf(before)] = item;
    }
  }

  #arrange({ members, items }: Arrangement): void {
    const left = new Set(this.served.map(({ name }) => name));
    const arranged: RegistryItem[] = [];
    for (const item of items) {
      const known = typeof item === "string" ? this.servedItem(item) : RegistryItem.of(item.raw);
      if (known === undefined) continue;
      if (typeof item === "string") left.delete(item);
      arranged.push(known);
    }
    const rest = this.#items.filter(({ entry }) => entry !== undefined && left.has(entry.name));
    this.#members = members;
    this.#items = [...arranged, ...rest];
  }

  #index(): void {
    this.#named.clear();
    for (const item of this.#items) {
      if (item.name === undefined) continue;
      const named = this.#named.get(item.name);
      if (named === undefined) this.#named.set(item.name, [item]);
      else named.push(item);
    }
    this.#served = undefined;
    this.#problems = undefined;
  }
}

function inverseOf(operation: Operation): readonly Operation[] {
  switch (operation.op) {
    case "u": {
      const { v, w } = operation;
      return [w === undefined ? removalOf(v) : { op: "u", v: w, w: v }];
    }
    case "r":
      return [{ op: "i", at: operation.w }];
    case "i":
      return operation.at.map(([, raw]) => removalOf(raw));
    case "x":
      return [{ op: "x", x: operation.w, w: operation.x }];
  }
}

const removalOf = (raw: unknown): Operation => ({ op: "r", n: RegistryItem.of(raw).name ?? "", w: [] });
