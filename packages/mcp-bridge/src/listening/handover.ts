import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import type { Timers } from "@cortex-os/mcp-core";

/** How long the last ear is listened to beside the one that took its place, in milliseconds: they are two connections, and what was told on the one may arrive after the other was acknowledged. */
const LINGER_MS = 1_000;

type Side = "leaving" | "taking";

/** The time in which two ears are heard, of which one has taken the other's place. What both tell is told once. */
export class Handover {
  readonly #told: Readonly<Record<Side, Map<string, number>>> = { leaving: new Map(), taking: new Map() };
  readonly #leave: () => void;
  readonly #cancel: () => void;
  #isOver = false;

  /** @param leave closes the last ear; called once, by itself or by {@link end} */
  constructor(timers: Timers, leave: () => void) {
    this.#leave = leave;
    this.#cancel = timers.after(LINGER_MS, () => this.end());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether what one of them tells has not been told by the other. */
  isNews(side: Side, { method, params }: JsonRpcNotification): boolean {
    const uri = params?.["uri"];
    const key = typeof uri === "string" ? `${method} ${uri}` : method;
    const times = (this.#told[side].get(key) ?? 0) + 1;
    this.#told[side].set(key, times);
    return times > (this.#told[side === "leaving" ? "taking" : "leaving"].get(key) ?? 0);
  }

  /** The last ear is heard no more. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#leave();
  }
}
