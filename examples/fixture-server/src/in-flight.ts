import type { JsonValue, RequestId } from "@cortex-os/mcp-core/wire";
import type { CallScope } from "./call-scope.js";

/** The requests of one legacy session or one stdio client that are not answered yet: what `notifications/cancelled` names. */
export class InFlight {
  readonly #scopes = new Map<RequestId, CallScope>();

  /** Does `work`, the answering of request `id`; until it is done, {@link cancel} reaches it. */
  async during<T>(id: RequestId, scope: CallScope, work: () => Promise<T>): Promise<T> {
    this.#scopes.set(id, scope);
    try {
      return await work();
    } finally {
      // A client that breaks the rule and uses an id twice at once must not lose the newer request.
      if (this.#scopes.get(id) === scope) this.#scopes.delete(id);
    }
  }

  /** An id that is unknown, answered already or no id at all is ignored, as the specification asks (cancellation). */
  cancel(requestId: JsonValue | undefined): void {
    if (typeof requestId === "string" || typeof requestId === "number") this.#scopes.get(requestId)?.cancel();
  }

  /** Ends every request because the server stops; subscriptions answer first. */
  shutDown(): void {
    for (const scope of this.#scopes.values()) scope.shutDown();
  }
}
