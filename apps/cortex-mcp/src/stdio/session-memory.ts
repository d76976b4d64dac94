import {
  isJsonObject,
  type JsonObject,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";

/** The ids of our own requests to a gateway begin so; a client that uses the same is served all the same until there is a takeover. */
const OWN_ID = "cortex-mcp-relay";

/** What a legacy client's session is: how it was opened, and what was agreed in it since. A gateway that never heard of it gets it told again. */
export class SessionMemory {
  #initialize: JsonRpcRequest | undefined;
  /** The answer to it. */
  #server: JsonObject | undefined;
  #isInitialized = false;
  #logLevel: JsonRpcRequest | undefined;
  /** By URI. */
  readonly #subscribed = new Map<string, JsonRpcRequest>();
  /** Requests of ours that are under way, whether they open the session. */
  readonly #own = new Map<RequestId, boolean>();
  #replays = 0;
  #refusal: string | undefined;

  /** Why the session could not be opened again; absent when it could. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether the client has said that it is ready. */
  get isInitialized(): boolean {
    return this.#isInitialized;
  }

  /** What the server can do, by the answer that the client has seen. */
  get capabilities(): JsonObject {
    const capabilities = this.#server?.["capabilities"];
    return isJsonObject(capabilities) ? capabilities : {};
  }

  /** The URIs of which the client wants to hear. */
  get subscribed(): readonly string[] {
    return [...this.#subscribed.keys()];
  }

  initialized(): void {
    this.#isInitialized = true;
  }

  /** A request of the client's was answered well. */
  agreed(request: JsonRpcRequest, result: JsonObject): void {
    const uri = request.params?.["uri"];
    switch (request.method) {
      case "initialize":
        this.#initialize = request;
        this.#server = result;
        this.#isInitialized = false;
        this.#logLevel = undefined;
        this.#subscribed.clear();
        return;
      case "logging/setLevel":
        this.#logLevel = request;
        return;
      case "resources/subscribe":
        if (typeof uri === "string") this.#subscribed.set(uri, request);
        return;
      case "resources/unsubscribe":
        if (typeof uri === "string") this.#subscribed.delete(uri);
    }
  }

  /** @returns the lines that open the session again, empty when there is none */
  replay(): readonly string[] {
    this.#own.clear();
    this.#refusal = undefined;
    if (this.#initialize === undefined) return [];
    const lines = [this.#again(this.#initialize, true)];
    if (this.#isInitialized) lines.push(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
    if (this.#logLevel !== undefined) lines.push(this.#again(this.#logLevel));
    for (const request of this.#subscribed.values()) lines.push(this.#again(request));
    return lines;
  }

  /** @returns whether the answer was to a request of ours */
  answered(answer: JsonRpcResponse): boolean {
    const opens = answer.id === undefined ? undefined : this.#own.get(answer.id);
    if (answer.id === undefined || opens === undefined) return false;
    this.#own.delete(answer.id);
    if (opens && "error" in answer) this.#refusal = answer.error.message;
    return true;
  }

  #again(request: JsonRpcRequest, opens = false): string {
    const id = `${OWN_ID}/${++this.#replays}`;
    this.#own.set(id, opens);
    return JSON.stringify({ ...request, id });
  }
}
