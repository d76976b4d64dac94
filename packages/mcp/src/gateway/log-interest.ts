import { LOG_LEVELS, type LogLevel } from "@cortex-os/mcp-core/wire";
import type { Connector } from "../connectors/connector.js";
import type { Upstream } from "../connectors/upstream.js";

interface Wish {
  readonly level: LogLevel;
  /** The connector that it is about; `undefined`: every one. */
  readonly connector: string | undefined;
}

/**
 * From which level on sessions want log messages. What all of them share of an upstream is told the most verbose of the wishes that are about it; each session gets
 * only what it asked for.
 */
export class LogInterest {
  readonly #connectors: () => Iterable<Pick<Connector, "key" | "upstream">>;
  readonly #wishes = new Map<string, Wish>();
  /** How many sessions want which level, by what their wishes are about. */
  readonly #counts = new Map<string | undefined, Map<LogLevel, number>>();
  readonly #told = new WeakMap<Upstream, LogLevel>();

  /** @param connectors those that live now */
  constructor(connectors: () => Iterable<Pick<Connector, "key" | "upstream">>) {
    this.#connectors = connectors;
  }

  /** A session wants messages of this level and above: those of one connector, or of all. */
  set(sessionKey: string, level: LogLevel, connector: string | undefined): void {
    this.#count(this.#wishes.get(sessionKey), -1);
    const wish = { level, connector };
    this.#wishes.set(sessionKey, wish);
    this.#count(wish, 1);
    this.follow();
  }

  /** A session ended. */
  forget(sessionKey: string): void {
    const wish = this.#wishes.get(sessionKey);
    if (wish === undefined) return;
    this.#wishes.delete(sessionKey);
    this.#count(wish, -1);
    this.follow();
  }

  /** Tells every upstream that was not told yet. While nobody wants anything of it, it is not told. */
  follow(): void {
    if (this.#wishes.size === 0) return;
    for (const { key, upstream } of this.#connectors()) {
      const level = this.#wanted(key);
      if (upstream === undefined || level === undefined || this.#told.get(upstream) === level) continue;
      this.#told.set(upstream, level);
      upstream.setLogLevel(level);
    }
  }

  #wanted(connector: string): LogLevel | undefined {
    const [all, own] = [this.#counts.get(undefined), this.#counts.get(connector)];
    return LOG_LEVELS.find((level) => (all?.get(level) ?? 0) + (own?.get(level) ?? 0) > 0);
  }

  #count(wish: Wish | undefined, change: number): void {
    if (wish === undefined) return;
    const counts = this.#counts.get(wish.connector) ?? new Map<LogLevel, number>();
    const count = (counts.get(wish.level) ?? 0) + change;
    if (count > 0) counts.set(wish.level, count);
    else counts.delete(wish.level);
    if (counts.size > 0) this.#counts.set(wish.connector, counts);
    else this.#counts.delete(wish.connector);
  }
}
