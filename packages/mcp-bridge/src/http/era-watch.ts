import type { Monotonic } from "@cortex-os/mcp-core";
import type { Era } from "@cortex-os/mcp-core/wire";
import type { Handshake } from "./handshake.js";

/** Between two looks; refusals may be frequent and mean nothing. */
const GAP_MS = 10_000;

/** What an {@link EraWatch} works through. */
export interface EraWatchDeps {
  readonly handshake: Handshake;
  readonly monotonic: Monotonic;
  /** What the upstream was found to speak. */
  readonly era: Era;
  onChanged(now: Era): void;
}

/**
 * Finds out whether an upstream that refuses requests has become another one: whoever replaces a server at its address
 * need not close a connection. The era is asked again when it is doubted (2026-07-28, versioning: "re-probing if the cached
 * assumption later fails"), at most every 10 s and beside the calls, which nothing happens to when it is the same.
 */
export class EraWatch {
  readonly #deps: EraWatchDeps;
  readonly #closing = new AbortController();
  #lastMs: number | undefined;

  constructor(deps: EraWatchDeps) {
    this.#deps = deps;
  }

  /** A request was refused in a way that may come from the era. */
  doubt(): void {
    const nowMs = this.#deps.monotonic.elapsedMs();
    if (this.#closing.signal.aborted || (this.#lastMs !== undefined && nowMs - this.#lastMs < GAP_MS)) return;
    this.#lastMs = nowMs;
    // An upstream that gives no verdict is not well, which is no change of its era.
    this.#look().catch(() => {});
  }

  /** Ends a look under way. Idempotent. */
  stop(): void {
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { era, handshake } = this.#deps;
    const greeting = await handshake.greet(false, this.#closing.signal);
    if (greeting.era !== era) this.#deps.onChanged(greeting.era);
    if (greeting.era === "legacy") await handshake.endSession(greeting.session);
  }
}
