import { LOG_LEVELS, type LogLevel } from "@cortex-os/mcp-core/wire";
import type { Upstream } from "../connectors/upstream.js";

/**
 * From which level on sessions want log messages. What all of them share of an upstream is told the most verbose of their wishes; each gets only what it asked for.
 */
export class LogInterest {
  readonly #upstreams: () => Iterable<Upstream>;
  readonly #wishes = new Map<string, LogLevel>();
  readonly #counts = new Map<LogLevel, number>();
  readonly #told = new WeakMap<Upstream, LogLevel>();

  /** @param upstreams those that live now */
  constructor(upstreams: () => Iterable<Upstream>) {
    this.#upstreams = upstreams;
  }

  /** A session wants messages of this level and above. */
  set(sessionKey: string, level: LogLevel): void {
    this.#count(this.#wishes.get(sessionKey), -1);
    this.#wishes.set(sessionKey, level);
    this.#count(level, 1);
    this.follow();
  }

  /** A session ended. */
  forget(sessionKey: string): void {
    const level = this.#wishes.get(sessionKey);
    if (level === undefined) return;
    this.#wishes.delete(sessionKey);
    this.#count(level, -1);
    this.follow();
  }

  /** Tells every upstream that was not told yet. While nobody wants anything, none is told. */
  follow(): void {
    const level = LOG_LEVELS.find((each) => (this.#counts.get(each) ?? 0) > 0);
    if (level === undefined) return;
    for (const upstream of this.#upstreams()) {
      if (this.#told.get(upstream) === level) continue;
      this.#told.set(upstream, level);
      upstream.setLogLevel(level);
    }
  }

  #count(level: LogLevel | undefined, change: number): void {
    if (level !== undefined) this.#counts.set(level, (this.#counts.get(level) ?? 0) + change);
  }
}
