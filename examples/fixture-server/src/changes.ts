import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { notification } from "./notification.js";

/** What may change: another list, or another content of one resource. */
export type Change =
  | { readonly kind: "tools" | "prompts" | "resources" }
  | { readonly kind: "updated"; readonly uri: string };

/** Tells everybody who listens of every change. */
export class Changes {
  readonly #listeners = new Set<(change: Change) => void>();

  /** Calls `listener` after every change. The returned function ends that. */
  on(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** How a client hears of a change, in either era. */
export function changeNotification(change: Change, meta?: JsonObject): JsonRpcNotification {
  const params = meta === undefined ? {} : { _meta: meta };
  if (change.kind === "updated") return notification("notifications/resources/updated", { ...params, uri: change.uri });
  return notification(`notifications/${change.kind}/list_changed`, meta === undefined ? undefined : params);
}
