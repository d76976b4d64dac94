/** A resource of a connector that somebody watches. */
export interface Watched {
  readonly connector: string;
  /** Its URI, as the upstream knows it. */
  readonly own: string;
}

/** The resources of one connector. */
interface OfConnector<W> {
  readonly byUri: Map<string, W>;
  /** How many of the URIs are so long. */
  readonly lengths: Map<number, number>;
}

/**
 * What is watched, by connector and URI. Whether something that changed is a part of what is watched is asked of every URI that it begins with and that is as long as
 * one that is watched: there may be a hundred thousand of them, and hardly more than a few dozen lengths.
 */
export class WatchIndex<W extends Watched> {
  readonly #of = new Map<string, OfConnector<W>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(connector: string, own: string): W | undefined {
    return this.#of.get(connector)?.byUri.get(own);
  }

  /** @param watch one of whose URI there is none yet */
  add(watch: W): void {
    const { connector, own } = watch;
    const known: OfConnector<W> = this.#of.get(connector) ?? { byUri: new Map(), lengths: new Map() };
    this.#of.set(connector, known);
    known.byUri.set(own, watch);
    known.lengths.set(own.length, (known.lengths.get(own.length) ?? 0) + 1);
    this.#size += 1;
  }

  /** Takes it out, unless another one is in its place. */
  delete(watch: W): void {
    const { connector, own } = watch;
    const known = this.#of.get(connector);
    if (known?.byUri.get(own) !== watch) return;
    known.byUri.delete(own);
    const left = (known.lengths.get(own.length) ?? 0) - 1;
    if (left > 0) known.lengths.set(own.length, left);
    else known.lengths.delete(own.length);
    if (known.byUri.size === 0) this.#of.delete(connector);
    this.#size -= 1;
  }

  /** Those of the connector that this URI is, or is a part of. */
  holding(connector: string, uri: string): readonly W[] {
    const found: W[] = [];
    const known = this.#of.get(connector);
    if (known === undefined) return found;
    for (const length of known.lengths.keys()) {
      const watch = length > uri.length ? undefined : known.byUri.get(uri.slice(0, length));
      if (watch !== undefined) found.push(watch);
    }
    return found;
  }

  /** Every connector of which something is watched, and what. */
  *byConnector(): Iterable<readonly [connector: string, watches: Iterable<W>]> {
    for (const [connector, { byUri }] of this.#of) yield [connector, byUri.values()];
  }
}
